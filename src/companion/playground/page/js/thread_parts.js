// Threads where they are not open: under their message, in a channel's list, and the form for a new one.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./avatar.js";
import { plainWords } from "./markdown.js";
import { openMenu } from "./menu.js";
import { compareIds } from "./room.js";
import { asPerson } from "./row_parts.js";
import { whenOf } from "./time.js";

export const amountOf = (count) => `${count} ${count === 1 ? "message" : "messages"}`;

/** The chip under the message that a thread started at. */
export function threadChip(thread, { names, actions }) {
  const { newest } = thread;
  const person = newest && asPerson(newest.author, names);
  return h(
    "button.thread-link",
    { type: "button", onclick: () => actions.go(thread.id) },
    h(
      "span.thread-line",
      {},
      icon("thread", 15),
      h("strong", {}, thread.name),
      h("span.thread-count", {}, amountOf(thread.messages ?? 0)),
      thread.archived && archivedMark(thread),
      icon("right", 14),
    ),
    newest &&
      h(
        "span.thread-newest",
        {},
        avatar(person, 16),
        h("span.thread-who", {}, person.name),
        h("span.thread-words", {}, plainWords(newest.content, names, 90) || "A file"),
        h("time", { datetime: newest.timestamp }, whenOf(new Date(newest.timestamp))),
      ),
  );
}

export function archivedMark({ locked }) {
  return h(
    "span.thread-mark",
    { title: locked ? "Only moderators can open it" : "Writing in it opens it again" },
    icon(locked ? "lock" : "archive", 12),
    locked ? "Locked" : "Archived",
  );
}

/** A thread that was started in a channel without a message. */
export function startedThread(message, thread, actions) {
  return h(
    "span.system",
    {},
    icon("thread", 16),
    thread ? "started a thread: " : "started a thread that is gone: ",
    thread
      ? h(
          "button.link",
          { type: "button", onclick: () => actions.go(thread.id) },
          thread.name,
        )
      : message.content,
  );
}

/** All threads of a channel, the archived ones too, and a new one. */
export function openThreadList(anchor, place, actions) {
  const threads = [...actions.store.places.values()]
    .filter((one) => one.parent === place.id)
    .sort((a, b) => a.archived - b.archived || compareIds(b.id, a.id));
  const items = threads.map((thread) => ({
    content: [
      icon("thread", 18),
      h(
        "span.menu-words",
        {},
        h("strong", {}, thread.name),
        h("span", {}, amountOf(thread.messages ?? 0)),
      ),
      thread.archived && archivedMark(thread),
    ],
    run: () => actions.go(thread.id),
  }));
  if (place.may?.start_threads) {
    if (items.length) items.push({ rule: true });
    items.push({
      content: [icon("plus", 18), "New thread"],
      run: () => actions.startThread(place),
    });
  }
  openMenu(anchor, "Threads", items, { heading: `Threads in #${place.name}`, alignEnd: true });
}

/** What may be done with an open thread. */
export function openThreadMenu(anchor, place, actions) {
  const change = (words, picture, state) => ({
    content: [icon(picture, 18), words],
    run: () => actions.setThread(place, state),
  });
  const items = [
    place.may.archive &&
      (place.archived
        ? change("Reopen thread", "thread", { archived: false })
        : change("Archive thread", "archive", { archived: true })),
    place.may.lock &&
      (place.locked
        ? change("Unlock thread", "lock", { locked: false, archived: false })
        : change("Archive and lock thread", "lock", { locked: true, archived: true })),
  ].filter(Boolean);
  openMenu(anchor, "Thread", items, {
    alignEnd: true,
    empty: "Only its starter and moderators change a thread",
  });
}
