// One message in the timeline. `update` touches only what changed, so streamed edits do not flicker.

import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { avatar, hueOf } from "./avatar.js";
import { Prose, channelNames } from "./markdown.js";
import { attachmentNodes, media } from "./attachments.js";
import { embedNodes } from "./embeds.js";
import { componentNodes } from "./components.js";
import { isEphemeral } from "./store.js";
import { editor } from "./message_editor.js";
import {
  aboveNodes,
  asPerson,
  onlyYou,
  thinkingNode,
  toolNodes,
} from "./row_parts.js";
import { startedThread, threadChip } from "./thread_parts.js";
import { fullOf, hourOf } from "./time.js";

const LOADING = 1 << 7;
const SUPPRESS_EMBEDS = 1 << 2;
const THREAD_CREATED = 18;

export class MessageRow {
  /** `actions` does what its buttons say; `names` resolves mentions. */
  constructor(actions, names) {
    this.actions = actions;
    this.names = names;
    this.prose = new Prose(names);
    this.parts = new Map();
    this.above = h("div.row-above");
    this.gutter = h("div.row-gutter");
    this.head = h("div.row-head");
    this.text = h("div.row-text", {}, this.prose.root);
    this.files = h("div.row-files");
    this.embeds = h("div.row-embeds");
    this.components = h("div.row-components");
    this.foot = h("div.row-foot");
    this.tools = h("div.row-tools", { role: "group", "aria-label": "Message actions" });
    this.root = h(
      "li.row",
      {},
      this.above,
      this.gutter,
      h(
        "div.row-body",
        {},
        this.head,
        this.text,
        this.files,
        this.embeds,
        this.components,
        this.foot,
      ),
      this.tools,
    );
    this.root.addEventListener("contextmenu", (event) => this.openMenu(event));
  }

  /** The right button, the menu key, a long touch; links, pictures and marked text keep theirs. */
  openMenu(event) {
    const marked = String(document.getSelection()) !== "";
    const own = event.target.closest("a, img, audio, textarea, input");
    if (marked || own || event.shiftKey || !this.tools.childNodes.length) return;
    event.preventDefault();
    const anchor = this.tools.lastChild;
    const byPointer = event.button === 2 || event.pointerType === "touch";
    const point = byPointer ? { x: event.clientX, y: event.clientY } : null;
    this.actions.menu(this.message, anchor, point);
  }

  /** Draw a message; `context` is what the timeline knows about its place. */
  update(message, context) {
    const { isHead, waiting, failure, isTarget, isEdited, thread } = context;
    const same = Object.keys(context).every((key) => context[key] === this.context?.[key]);
    const channels = channelNames(message.content, this.names);
    if (same && message === this.message && channels === this.channels) return;
    this.channels = channels;
    this.message = message;
    this.context = context;
    const thinking = Boolean(message.flags & LOADING) && !failure;
    const hidden = isEphemeral(message);
    this.root.dataset.id = message.id;
    this.root.classList.toggle("is-head", isHead);
    this.root.classList.toggle("is-ephemeral", hidden);
    const called = this.actions.mentionsMe(message);
    const answers = called && this.actions.isMine(message.referenced_message);
    this.root.classList.toggle("is-mention", called && !answers);
    this.root.classList.toggle("is-answer", answers);
    this.root.classList.toggle("is-target", Boolean(isTarget));
    const above = message.command ?? [message.referenced_message];
    this.part("above", above, () => fill(this.above, aboveNodes(message, this)));
    this.part("head", [isHead, message.author], () => this.drawHead(message, isHead));
    const named = [message.type === THREAD_CREATED && thread?.name, channels];
    const text = [message.content, message.edited_timestamp, thinking, message.type, named];
    this.part("text", isEdited ? "editor" : text, () => this.drawText(message, thinking, isEdited));
    const { attachments, components } = message;
    this.part("files", attachments, () => fill(this.files, attachmentNodes(attachments)));
    const embeds = message.flags & SUPPRESS_EMBEDS ? [] : message.embeds;
    this.part("embeds", embeds, () => fill(this.embeds, embedNodes(embeds, this.names)));
    this.part("components", [components, waiting], () => this.drawComponents(message, waiting));
    this.part("foot", [hidden, failure, thread], () => this.drawFoot(message, context));
    const mine = this.actions.isMine(message);
    const tools = { hidden, mine, may: context.may ?? {} };
    const noTools = thinking || context.isQuoted;
    this.part("tools", [tools, noTools, message.thread_id], () =>
      fill(this.tools, noTools ? [] : toolNodes(this, tools)),
    );
  }

  part(name, value, draw) {
    const key = JSON.stringify(value ?? null);
    if (this.parts.get(name) === key) return;
    this.parts.set(name, key);
    draw();
  }

  drawHead(message, isHead) {
    const when = new Date(message.timestamp);
    const stamp = (style) =>
      h(`time.${style}`, { datetime: message.timestamp, title: fullOf(when) }, hourOf(when));
    const person = asPerson(message.author, this.names);
    fill(this.gutter, isHead ? avatar(person, 40) : stamp("row-time-side"));
    const name = h("span.row-name", { class: person.bot ? "is-app" : "" }, person.name);
    name.style.setProperty("--hue", String(hueOf(person.name)));
    fill(
      this.head,
      isHead && [
        name,
        person.bot && h("span.badge", { title: "This is an app" }, "APP"),
        stamp("row-time"),
      ],
    );
    this.head.hidden = !isHead;
  }

  drawText(message, thinking, isEdited) {
    const system = message.type === THREAD_CREATED;
    const shown = isEdited ? "editor" : thinking ? "thinking" : system ? "system" : "prose";
    if (shown === "editor") fill(this.text, editor(message, this.actions));
    else if (shown === "thinking") fill(this.text, thinkingNode(this.name(message.author)));
    else if (shown === "system") 
      fill(this.text, startedThread(message, this.context.thread, this.actions));
    else {
      if (this.shown !== "prose") fill(this.text, this.prose.root);
      this.prose.update(message.content);
      this.markEdited(message);
    }
    this.shown = shown;
    this.text.hidden = shown === "prose" && !message.content;
  }

  name(user) {
    return asPerson(user, this.names).name;
  }

  markEdited(message) {
    this.edited?.remove();
    this.edited = null;
    if (!message.edited_timestamp || !message.content) return;
    this.edited = h(
      "span.edited",
      { title: `Edited ${fullOf(new Date(message.edited_timestamp))}` },
      "(edited)",
    );
    const last = this.prose.root.lastElementChild;
    const inLine = last?.tagName === "P" || last?.classList.contains("subtext");
    (inLine ? last : this.text).append(this.edited);
  }

  drawComponents(message, waiting) {
    const use = {
      waiting,
      names: this.names,
      media,
      click: (customId) => this.actions.click(message, customId),
      select: (customId, values) => this.actions.select(message, customId, values),
      candidates: (kind, types) => this.actions.candidates(kind, types),
    };
    fill(this.components, componentNodes(message.components, use));
  }

  drawFoot(message, { failure, thread }) {
    fill(
      this.foot,
      failure && h("div.failed", { role: "alert" }, icon("warn", 15), failure),
      thread && threadChip(thread, this),
      isEphemeral(message) && onlyYou(() => this.actions.dismiss(message)),
    );
  }
}
