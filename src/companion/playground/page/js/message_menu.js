// Everything one can do with a message: the menu of a right click and of its "…" button.

import { messageCommands } from "./commands.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { isEphemeral } from "./store.js";

/** Open the menu at `anchor`, or at a point {x, y}. */
export function openMessageMenu(message, actions, anchor, point = null) {
  const groups = isEphemeral(message)
    ? [ownCopies(message, actions), [item("Dismiss message", "close", () => actions.dismiss(message))]]
    : [
        writing(message, actions),
        ownCopies(message, actions),
        apps(message, actions),
        removing(message, actions),
      ];
  const items = groups
    .filter((group) => group.length)
    .flatMap((group, i) => (i ? [{ rule: true }, ...group] : group));
  openMenu(anchor, "Message", items, { alignEnd: !point, point });
}

function item(words, picture, run, more = {}) {
  return { content: [icon(picture, 18), words], run, ...more };
}

function writing(message, actions) {
  const place = actions.store.places.get(message.channel_id);
  const thread = actions.store.places.get(message.thread_id);
  const may = place?.may ?? {};
  return [
    may.write && item("Reply", "reply", () => actions.reply(message)),
    actions.isMine(message) && item("Edit message", "pencil", () => actions.edit(message)),
    thread && item("Open thread", "thread", () => actions.go(thread.id)),
    !message.thread_id &&
      may.start_threads &&
      item("Create thread", "thread", () => actions.startThread(place, message)),
  ].filter(Boolean);
}

function ownCopies(message, actions) {
  return [
    message.content && item("Copy text", "copy", () => actions.copy(message.content)),
    item("Copy message ID", "hash", () => actions.copy(message.id)),
  ].filter(Boolean);
}

function apps(message, actions) {
  const commands = messageCommands(actions.store.offered);
  if (!commands.length) return [];
  const run = (command) => () => actions.useOn(message, command);
  return [
    { heading: "Apps" },
    ...commands.map((command) => item(command.name, "spark", run(command))),
  ];
}

function removing(message, actions) {
  const place = actions.store.places.get(message.channel_id);
  if (!actions.isMine(message) && !place?.may?.moderate) return [];
  return [item("Delete message", "trash", () => actions.remove(message), { danger: true })];
}
