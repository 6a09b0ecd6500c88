// Where one writes: plain messages, or a command chosen with `/`.

import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./avatar.js";
import { CommandForm } from "./command_form.js";
import { Suggestions } from "./composer_suggestions.js";
import { typable } from "./commands.js";
import { encoded, nameable } from "./mentions.js";
import { asPerson, dots } from "./row_parts.js";
import { SuggestPanel } from "./suggest_panel.js";
import { UploadTray } from "./uploads.js";

const MOST = 2000;
const NEARLY = 1800;

export class Composer {
  constructor(frame, store, actions) {
    this.store = store;
    this.actions = actions;
    this.drafts = new Map();
    this.form = null;
    this.panel = new SuggestPanel();
    this.suggestions = new Suggestions(this);
    this.tray = new UploadTray({
      limit: () => store.uploadLimit,
      onProblem: (words) => actions.complain(words),
      onChange: () => this.drawSend(),
    });
    this.build(frame);
    this.listen(frame);
  }

  build(frame) {
    this.text = h("textarea.composer-text", {
      rows: 1,
      "aria-label": "Message",
      "aria-describedby": "composer-note",
      "aria-autocomplete": "list",
    });
    this.picker = h("input", {
      type: "file",
      multiple: true,
      hidden: true,
      "aria-label": "Attach files",
    });
    this.attach = h(
      "button.composer-tool",
      {
        type: "button",
        "aria-label": "Attach files",
        title: "Attach files",
        onclick: () => this.picker.click(),
      },
      icon("plus", 20),
    );
    this.slash = h(
      "button.composer-tool",
      {
        type: "button",
        "aria-label": "Commands",
        title: "Commands",
        onclick: () => this.startSlash(),
      },
      icon("slash", 20),
    );
    this.send = h(
      "button.composer-send",
      { type: "button", "aria-label": "Send", title: "Send", onclick: () => this.submit() },
      icon("send", 20),
    );
    this.who = h("span.composer-who");
    this.slot = h("div.composer-slot", {}, this.text);
    this.replyBar = h("div.reply-bar", { hidden: true });
    this.typing = h("span.typing", { role: "status" });
    this.note = h("span.composer-note", { id: "composer-note" });
    this.box = h(
      "div.composer",
      {},
      this.replyBar,
      this.tray.root,
      h("div.composer-line", {}, this.attach, this.who, this.slot, this.slash, this.send),
      this.picker,
    );
    fill(frame, this.panel.root, this.box, h("div.composer-foot", {}, this.typing, this.note));
  }

  listen(frame) {
    this.text.addEventListener("input", () => {
      this.changed();
      if (this.text.value && !this.text.value.startsWith("/")) this.actions.typing();
    });
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.text.addEventListener("click", () => this.suggestions.update());
    frame.addEventListener("focusout", (event) => {
      if (!frame.contains(event.relatedTarget)) this.panel.hide();
    });
    this.picker.addEventListener("change", () => {
      this.takeFiles([...this.picker.files]);
      this.picker.value = "";
    });
    frame.addEventListener("paste", (event) => this.paste(event));
    this.store.on("current person", () => this.arrive());
    this.store.on("reply", () => this.drawReply());
    this.store.on("commands places", () => this.describe());
    this.store.on("typing current", () => this.drawTyping());
  }

  /** Another channel or person: keep what was written there, bring back what was written here. */
  arrive() {
    const key = `${this.store.me?.id} ${this.store.current}`;
    if (this.draftKey && this.draftKey !== key) {
      this.drafts.set(this.draftKey, this.text.value);
      this.endCommand();
      this.text.value = this.drafts.get(key) ?? "";
    }
    this.draftKey = key;
    this.describe();
    this.changed({ quiet: true });
  }

  describe() {
    const { place, me } = this.store;
    if (!place || !me) return;
    const where =
      place.kind === "dm"
        ? `@${place.name}`
        : place.kind === "text"
          ? `#${place.name}`
          : place.name;
    const shut = place.may?.write === false;
    this.text.disabled = shut;
    this.box.classList.toggle("is-shut", shut);
    const hint = window.innerWidth > 760 ? ", or type / for commands" : "";
    this.text.placeholder = shut
      ? place.locked
        ? "This thread is locked. Only moderators write in it."
        : "You may not write here."
      : place.archived
        ? `Write as ${me.name} to open this thread again`
        : `Message ${where} as ${me.name}${hint}`;
    this.text.setAttribute("aria-label", `Message ${where} as ${me.name}`);
    fill(this.who, avatar(me, 24));
    this.who.title = `You are ${me.name}`;
  }

  changed({ quiet = false } = {}) {
    this.grow();
    this.drawSend();
    if (!quiet) this.suggestions.update();
  }

  grow() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, window.innerHeight * 0.4)}px`;
  }

  drawSend() {
    const length = [...this.text.value].length;
    const left = MOST - length;
    fill(
      this.note,
      length > NEARLY && !this.form
        ? h(
            "span",
            { class: left < 0 ? "is-error" : "" },
            left < 0 ? `${-left} characters too many. ` : `${left} characters left`,
            left < 0 &&
              h(
                "button.link",
                { type: "button", onclick: () => this.asFile() },
                "Attach as message.txt",
              ),
          )
        : null,
    );
    this.send.classList.toggle(
      "is-ready",
      Boolean(this.form || this.text.value.trim() || this.tray.files.length),
    );
  }

  drawTyping() {
    const names = this.store.typists();
    const words = names.length > 1 ? `${names.join(", ")} are typing…` : `${names[0]} is typing…`;
    fill(this.typing, names.length ? [dots(), words] : null);
    clearTimeout(this.typingEnds);
    if (names.length) this.typingEnds = setTimeout(() => this.drawTyping(), 1000);
  }

  asFile() {
    this.tray.add([new File([this.text.value], "message.txt", { type: "text/plain" })]);
    this.text.value = "";
    this.changed();
    this.text.focus();
  }

  write(text) {
    this.endCommand();
    this.text.value = text;
    this.text.focus();
    this.changed();
  }

  startSlash() {
    this.endCommand();
    this.text.value = "/";
    this.text.focus();
    this.changed();
  }

  get commands() {
    return typable(this.store.offered);
  }

  // -- commands ---------------------------------------------------------------

  openCommand(entry, values = {}) {
    this.endCommand();
    this.text.value = "";
    const form = new CommandForm(entry, {
      panel: this.panel,
      autocomplete: (...args) => this.actions.autocomplete(...args),
      pickable: (option) => this.actions.pickable(option),
      onSubmit: () => this.submit(),
      onCancel: () => {
        this.endCommand();
        this.text.focus();
      },
    });
    form.prefill(values);
    this.form = form;
    this.box.classList.add("has-command");
    fill(this.slot, form.root);
    this.panel.hide();
    form.focus();
    form.describe(form.current);
    this.drawSend();
  }

  endCommand() {
    if (!this.form) return;
    this.form = null;
    this.box.classList.remove("has-command");
    fill(this.slot, this.text);
    this.panel.hide();
    this.changed({ quiet: true });
  }

  // -- sending ----------------------------------------------------------------

  key(event) {
    if (this.panel.key(event, { tab: true })) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape") {
      if (this.panel.isOpen) this.suggestions.close();
      else if (this.store.replyTo) this.actions.reply(null);
      else if (this.text.value.startsWith("/")) this.text.value = "";
    } else if (event.key === "ArrowUp" && !this.text.value) {
      event.preventDefault();
      this.actions.editLast();
    }
  }

  submit() {
    if (this.form) return this.submitCommand();
    const text = this.text.value.trim();
    if ([...text].length > MOST || (!text && !this.tray.files.length)) return undefined;
    const names = nameable(this.store);
    const files = this.tray.take();
    this.text.value = "";
    this.changed();
    return this.actions.say(encoded(text, names), files).catch((refusal) => {
      // nothing is lost: what was written comes back
      this.actions.complain(refusal.message);
      if (!this.text.value) this.text.value = text;
      this.tray.add(files);
      this.changed({ quiet: true });
    });
  }

  submitCommand() {
    const { form } = this;
    const results = form.collect();
    if (!results) return;
    this.endCommand();
    this.text.focus();
    this.actions
      .invoke(form.entry, results)
      .catch((refusal) => this.actions.complain(refusal.message));
  }

  paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) {
      event.preventDefault();
      this.takeFiles(files);
      return;
    }
    const words = event.clipboardData?.getData("text/plain") ?? "";
    if (this.form || event.target !== this.text || this.text.value.length + words.length <= MOST)
      return;
    event.preventDefault();
    this.takeFiles([new File([words], "message.txt", { type: "text/plain" })]);
  }

  takeFiles(files) {
    if (!this.form) this.tray.add(files);
    else if (!this.form.takeFile(files[0])) this.actions.complain("This command takes no file.");
    if (!this.form) this.text.focus();
  }

  pingButton() {
    const { store } = this;
    const on = store.pingsReply;
    return h(
      "button.ping",
      {
        type: "button",
        "aria-pressed": String(on),
        title: on ? "The reply notifies them" : "The reply notifies nobody",
        onclick: () => {
          store.pingsReply = !on;
          store.tell("reply");
        },
      },
      icon("at", 14),
      on ? "On" : "Off",
    );
  }

  drawReply() {
    const message = this.actions.replyTarget();
    this.replyBar.hidden = !message;
    if (!message) return;
    const cancel = h(
      "button.tool",
      { type: "button", "aria-label": "Cancel the reply", onclick: () => this.actions.reply(null) },
      icon("close", 15),
    );
    fill(
      this.replyBar,
      icon("reply", 15),
      h(
        "span",
        {},
        "Replying to ",
        h("strong", {}, asPerson(message.author, this.actions.names).name),
      ),
      !this.actions.isMine(message) && this.pingButton(),
      cancel,
    );
    this.text.focus();
  }
}
