// One message in the timeline. `update` touches only what changed, so streamed edits do not flicker.

import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { avatar, hueOf } from "./avatar.js";
import { Prose } from "./markdown.js";
import { attachmentNodes, media } from "./attachments.js";
import { embedNodes } from "./embeds.js";
import { componentNodes } from "./components.js";
import { isEphemeral } from "./store.js";
import { fullOf, hourOf } from "./time.js";

const LOADING = 1 << 7;
const SUPPRESS_EMBEDS = 1 << 2;
const THREAD_CREATED = 18;

export const nameOf = (user) => user.global_name || user.username;
export const asPerson = (user) => ({ id: user.id, name: nameOf(user), bot: Boolean(user.bot) });

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
  }

  update(message, { isHead, waiting, failure, isTarget }) {
    this.message = message;
    const thinking = Boolean(message.flags & LOADING) && !failure;
    this.root.dataset.id = message.id;
    this.root.classList.toggle("is-head", isHead);
    this.root.classList.toggle("is-ephemeral", isEphemeral(message));
    this.root.classList.toggle("is-mention", this.actions.mentionsMe(message));
    this.root.classList.toggle("is-target", isTarget);
    this.part("above", message.referenced_message ?? message.command ?? null, () =>
      fill(this.above, this.aboveNodes(message)),
    );
    this.part("head", [isHead, message.author], () => this.drawHead(message, isHead));
    this.part("text", [message.content, message.edited_timestamp, thinking, message.type], () =>
      this.drawText(message, thinking),
    );
    this.part("files", message.attachments, () =>
      fill(this.files, attachmentNodes(message.attachments)),
    );
    const embeds = message.flags & SUPPRESS_EMBEDS ? [] : message.embeds;
    this.part("embeds", embeds, () => fill(this.embeds, embedNodes(embeds, this.names)));
    this.part("components", [message.components, waiting], () =>
      this.drawComponents(message, waiting),
    );
    this.part("foot", [isEphemeral(message), failure], () => this.drawFoot(message, failure));
    this.part("tools", [isEphemeral(message), thinking], () =>
      fill(this.tools, thinking ? [] : this.toolNodes(message)),
    );
  }

  part(name, value, draw) {
    const key = JSON.stringify(value ?? null);
    if (this.parts.get(name) === key) return;
    this.parts.set(name, key);
    draw();
  }

  aboveNodes(message) {
    if (message.command) {
      const { user, name } = message.command;
      return h(
        "div.used",
        {},
        h("span.spine"),
        avatar(asPerson(user), 16),
        h("span.used-who", {}, nameOf(user)),
        " used ",
        h("span.chip", {}, `/${name}`),
      );
    }
    const target = message.referenced_message;
    if (message.referenced_message === undefined) return null;
    if (target === null)
      return h("div.used", {}, h("span.spine"), h("em", {}, "Original message was deleted"));
    const words =
      target.content.replace(/\s+/gu, " ").slice(0, 140) ||
      (target.attachments?.length ? "Attachment" : "Message");
    return h(
      "button.used",
      { type: "button", onclick: () => this.actions.jumpTo(target.id) },
      h("span.spine"),
      avatar(asPerson(target.author), 16),
      h("span.used-who", {}, nameOf(target.author)),
      h("span.used-words", {}, words),
    );
  }

  drawHead(message, isHead) {
    const when = new Date(message.timestamp);
    const stamp = (style) =>
      h(`time.${style}`, { datetime: message.timestamp, title: fullOf(when) }, hourOf(when));
    const person = asPerson(message.author);
    fill(this.gutter, isHead ? avatar(person, 40) : stamp("row-time-side"));
    const name = h("span.row-name", {}, person.name);
    name.style.setProperty("--hue", String(hueOf(person.id)));
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

  drawText(message, thinking) {
    const shown = thinking ? "thinking" : message.type === THREAD_CREATED ? "system" : "prose";
    if (shown === "thinking") {
      fill(
        this.text,
        h(
          "span.thinking",
          { role: "status" },
          h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i")),
          `${nameOf(message.author)} is thinking…`,
        ),
      );
    } else if (shown === "system") {
      fill(
        this.text,
        h(
          "span.system",
          {},
          icon("thread", 16),
          "started a thread: ",
          h("strong", {}, message.content),
        ),
      );
    } else {
      if (this.shown !== "prose") fill(this.text, this.prose.root);
      this.prose.update(message.content);
      this.markEdited(message);
    }
    this.shown = shown;
    this.text.hidden = shown === "prose" && !message.content;
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
      candidates: (kind) => this.actions.candidates(kind),
    };
    fill(this.components, componentNodes(message.components, use));
  }

  drawFoot(message, failure) {
    const dismiss =
      isEphemeral(message) &&
      h(
        "span.only-you",
        {},
        icon("eye", 15),
        "Only you can see this · ",
        h(
          "button.link",
          { type: "button", onclick: () => this.actions.dismiss(message) },
          "Dismiss message",
        ),
      );
    fill(
      this.foot,
      failure && h("div.failed", { role: "alert" }, icon("warn", 15), failure),
      dismiss,
    );
  }

  toolNodes(message) {
    const tool = (label, picture, onclick) =>
      h(
        "button.tool",
        { type: "button", "aria-label": label, title: label, onclick },
        icon(picture, 18),
      );
    const copy = tool("Copy text", "copy", () => this.actions.copy(this.message));
    if (isEphemeral(message)) return copy;
    const more = tool("More: apps", "more", (event) =>
      this.actions.more(this.message, event.currentTarget),
    );
    return [tool("Reply", "reply", () => this.actions.reply(this.message)), copy, more];
  }
}
