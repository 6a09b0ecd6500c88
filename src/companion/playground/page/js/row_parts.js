// The small parts around a message's text: what it answers, its tools, who sees it.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./avatar.js";
import { plainWords } from "./markdown.js";

/** A Discord user as avatars and names show it; the app is called as the store knows it. */
export function asPerson(user, names) {
  const name = names.person(user.id) ?? user.global_name ?? user.username;
  return { id: user.id, name, bot: Boolean(user.bot) };
}

/** The line above a message: the command it answers, or the message it replies to. */
export function aboveNodes(message, { names, actions }) {
  const { command } = message;
  if (command) return usedLine(asPerson(command.user, names), command.name, command.options);
  const target = message.referenced_message;
  if (target === undefined) return null;
  if (target === null)
    return h("div.used", {}, h("span.spine"), h("em", {}, "Original message was deleted"));
  const person = asPerson(target.author, names);
  const file = target.attachments?.[0]?.filename;
  const words = plainWords(target.content, names) || file || "A message without text";
  return h(
    "button.used",
    {
      type: "button",
      title: "Jump to the message",
      onclick: () => actions.jumpTo(target.id),
    },
    h("span.spine"),
    avatar(person, 16),
    h("span.used-who", {}, person.name),
    h("span.used-words", {}, words),
    target.attachments?.length ? icon("file", 13) : null,
  );
}

/** "Ada used /ask", and what was filled in. */
export function usedLine(person, command, options = []) {
  const words = options.map(([name, value]) => `${name}: ${value}`).join(" · ");
  return h(
    "div.used",
    { title: words },
    h("span.spine"),
    avatar(person, 16),
    h("span.used-who", {}, person.name),
    " used ",
    h("span.chip", {}, `/${command}`),
    words && h("span.used-words", {}, words),
  );
}

export function dots() {
  return h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i"));
}

export function thinkingNode(name) {
  return h("span.thinking", { role: "status" }, dots(), `${name} is thinking…`);
}

export function onlyYou(dismiss) {
  return h(
    "div.only-you",
    {},
    icon("eye", 15),
    "Only you can see this · ",
    h("button.link", { type: "button", onclick: dismiss }, "Dismiss message"),
  );
}

/** The buttons that appear beside a message. */
export function toolNodes(row, { hidden, mine, may }) {
  const { actions } = row;
  const tool = (label, picture, onclick, more = {}) =>
    h(
      "button.tool",
      { type: "button", "aria-label": label, title: label, onclick, ...more },
      icon(picture, 18),
    );
  const menu = { "aria-haspopup": "menu", "aria-expanded": "false" };
  return [
    !hidden && may.write && tool("Reply", "reply", () => actions.reply(row.message)),
    !hidden && mine && tool("Edit", "pencil", () => actions.edit(row.message)),
    !hidden &&
      may.start_threads &&
      !row.message.thread_id &&
      tool("Create thread", "thread", () => actions.startThread(null, row.message)),
    hidden && tool("Copy text", "copy", () => actions.copy(row.message.content)),
    tool("More", "more", (event) => actions.menu(row.message, event.currentTarget), menu),
  ];
}
