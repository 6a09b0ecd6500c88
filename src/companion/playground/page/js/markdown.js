// Markdown blocks as DOM. `Prose` keeps the nodes of blocks that did not change, so that a
// streamed edit touches only its last block: no flicker, and selections and opened spoilers stay.

import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { coloured } from "./highlight.js";
import { parseBlocks } from "./markdown_blocks.js";
import { fullOf, stamp } from "./time.js";

/** Text that is edited in place. `names` resolves mentions: {person, channel, role, command}. */
export class Prose {
  constructor(names) {
    this.names = names;
    this.root = h("div.prose");
    this.keys = [];
  }

  update(text) {
    const blocks = parseBlocks(text);
    const named = channelNames(text, this.names);
    const keys = blocks.map((block) => JSON.stringify(block) + named);
    keys.forEach((key, i) => {
      if (key === this.keys[i]) return;
      const node = blockNode(blocks[i], this.names);
      if (i < this.root.childNodes.length) this.root.childNodes[i].replaceWith(node);
      else this.root.append(node);
    });
    while (this.root.childNodes.length > keys.length) this.root.lastChild.remove();
    this.keys = keys;
    this.root.classList.toggle("only-emoji", onlyEmoji(text));
  }
}

/** What the channels that a text mentions are called now: they may be renamed later. */
export function channelNames(text, names) {
  const ids = text.match(/(?<=<#)\d+(?=>)/gu) ?? [];
  return ids.map((id) => names.channel(id) ?? "").join(", ");
}

/** Render text that will not change. */
export function prose(text, names) {
  const view = new Prose(names);
  view.update(text);
  return view.root;
}

/** The words of a message on one line, without marks: for replies and previews. */
export function plainWords(text, names, most = 140) {
  const words = parseBlocks(text).map((block) => blockWords(block, names));
  return words.join(" ").replace(/\s+/gu, " ").trim().slice(0, most);
}

function blockWords(block, names) {
  if (block.type === "fence") return block.text;
  if (block.type === "quote")
    return block.children.map((child) => blockWords(child, names)).join(" ");
  if (block.type !== "list") return inlineWords(block.children, names);
  return block.items
    .map((item) =>
      [
        inlineWords(item.children, names),
        ...item.lists.map((list) => blockWords(list, names)),
      ].join(" "),
    )
    .join(" ");
}

function inlineWords(nodes, names) {
  const one = (node) => {
    if (node.type === "spoiler") return "▒▒▒▒";
    if (node.text !== undefined) return node.text;
    if (node.type === "link") return node.children ? inlineWords(node.children, names) : node.url;
    return node.children ? inlineWords(node.children, names) : mentionWords(node, names);
  };
  return nodes.map(one).join("");
}

function mentionWords(node, names) {
  switch (node.type) {
    case "person":
      return `@${names.person(node.id) ?? "unknown"}`;
    case "channel":
      return `#${names.channel(node.id) ?? "unknown"}`;
    case "role":
      return `@${names.role(node.id) ?? "role"}`;
    case "command":
      return `/${node.name}`;
    case "time":
      return stamp(node.seconds, node.style) ?? "";
    default:
      return `:${node.name}:`;
  }
}

function onlyEmoji(text) {
  return text.length <= 60 && /^(?:\p{RGI_Emoji}\s*){1,10}$/v.test(text.trim());
}

function blockNode(block, names) {
  switch (block.type) {
    case "heading":
      return h(
        `div.heading.heading-${block.level}`,
        { role: "heading", "aria-level": 3 },
        inline(block.children, names),
      );
    case "subtext":
      return h("div.subtext", {}, inline(block.children, names));
    case "quote":
      return h(
        "blockquote",
        {},
        block.children.map((child) => blockNode(child, names)),
      );
    case "fence":
      return fenceNode(block);
    case "list":
      return listNode(block, names);
    default:
      return h("p", {}, inline(block.children, names));
  }
}

function listNode(list, names) {
  const attributes = list.ordered ? { start: list.start } : {};
  const items = list.items.map((item) =>
    h(
      "li",
      {},
      inline(item.children, names),
      item.lists.map((inner) => listNode(inner, names)),
    ),
  );
  return h(list.ordered ? "ol" : "ul", attributes, items);
}

function fenceNode({ text, language }) {
  const label = h("span.fence-language", {}, language || "text");
  const copy = h(
    "button.fence-copy",
    { type: "button", "aria-label": "Copy code" },
    icon("copy", 15),
    h("span", {}, "Copy"),
  );
  copy.addEventListener("click", () => copyCode(copy, text));
  return h(
    "div.fence",
    {},
    h("div.fence-bar", {}, label, copy),
    h("pre", { tabIndex: 0 }, h("code", {}, coloured(text, language))),
  );
}

async function copyCode(button, text) {
  const worked = await copyText(text);
  fill(
    button,
    icon(worked ? "check" : "warn", 15),
    h("span", {}, worked ? "Copied" : "Not allowed"),
  );
  setTimeout(() => fill(button, icon("copy", 15), h("span", {}, "Copy")), 1600);
}

/** Copy to the clipboard; false where the browser refuses. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function inline(nodes, names) {
  return nodes.map((node) => inlineNode(node, names));
}

const WRAPPERS = { strong: "strong", em: "em", under: "u", strike: "s" };

function inlineNode(node, names) {
  if (node.type === "text") return node.text;
  if (node.type in WRAPPERS) return h(WRAPPERS[node.type], {}, inline(node.children, names));
  switch (node.type) {
    case "code":
      return h("code.inline", {}, node.text);
    case "spoiler":
      return spoiler(inline(node.children, names));
    case "link":
      return link(node, names);
    case "time":
      return time(node);
    case "emoji":
      return h("span.chip.chip-emoji", {}, mentionWords(node, names));
    default:
      return mention(node, names);
  }
}

function spoiler(children) {
  const inside = h("span.spoiler-inside", { "aria-hidden": "true" }, children);
  const node = h(
    "span.spoiler",
    { role: "button", tabIndex: 0, "aria-label": "Spoiler: show", "aria-expanded": "false" },
    inside,
  );
  const show = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    if (!node.classList.contains("is-open")) event.preventDefault();
    node.classList.add("is-open");
    node.removeAttribute("role");
    node.removeAttribute("aria-label");
    node.removeAttribute("aria-expanded");
    inside.removeAttribute("aria-hidden");
  };
  node.addEventListener("click", show);
  node.addEventListener("keydown", show);
  return node;
}

const MESSAGE = /^https:\/\/discord\.com\/channels\/(?:\d+|@me)\/(\d+)\/(\d+)$/u;

/**
 * A link opens elsewhere without telling where from; a masked one shows its true host.
 * One to a message stays here: this is its Discord.
 */
function link({ url, children }, names) {
  const message = MESSAGE.exec(url);
  if (message) {
    const press = () => names.onMessage(message[1], message[2]);
    const words = children ? inline(children, names) : "a message";
    return h("button.to-message", { type: "button", title: "Jump to the message", onclick: press }, words);
  }
  const attributes = {
    href: url,
    target: "_blank",
    rel: "noopener noreferrer nofollow",
    title: url,
  };
  if (!children) return h("a", attributes, url);
  return [
    h("a", attributes, inline(children, names)),
    h("span.link-host", {}, `(${new URL(url).host})`),
  ];
}

function time({ seconds, style }) {
  const words = stamp(seconds, style);
  if (words === null) return `<t:${seconds}:${style}>`;
  return h("time.chip.chip-time", { title: fullOf(new Date(seconds * 1000)) }, words);
}

function mention(node, names) {
  const words = node.type === "everyone" ? node.text : mentionWords(node, names);
  const press = {
    command: () => names.onCommand(node.name),
    channel: () => names.onChannel(node.id),
  };
  if (node.type in press)
    return h(`button.chip.chip-${node.type}`, { type: "button", onclick: press[node.type] }, words);
  return h("span.chip", { class: names.isMe(node.id) ? "is-me" : "" }, words);
}
