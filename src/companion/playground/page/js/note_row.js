// A row that only this page knows: a command on its way, or one that was not answered.

import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./avatar.js";

export class NoteRow {
  constructor(actions) {
    this.actions = actions;
    this.root = h("li.row.is-head.note");
  }

  /** `note`: {id, name, state: "sending" | "failed", error}. */
  update(note, store) {
    const key = JSON.stringify(note);
    if (key === this.key) return;
    this.key = key;
    const used = h(
      "div.row-above",
      {},
      h(
        "div.used",
        {},
        h("span.spine"),
        avatar(store.me, 16),
        h("span.used-who", {}, store.me.name),
        " used ",
        h("span.chip", {}, `/${note.name}`),
      ),
    );
    const head = h(
      "div.row-head",
      {},
      h("span.row-name", {}, store.app.name),
      h("span.badge", {}, "APP"),
    );
    this.root.classList.toggle("is-ephemeral", note.state === "failed");
    fill(
      this.root,
      used,
      h("div.row-gutter", {}, avatar({ ...store.app, bot: true }, 40)),
      h("div.row-body", {}, head, note.state === "failed" ? this.failed(note) : sending()),
    );
  }

  failed(note) {
    const dismiss = h(
      "button.link",
      { type: "button", onclick: () => this.actions.dropNote(note.id) },
      "Dismiss message",
    );
    return [
      h("div.failed", { role: "alert" }, icon("warn", 15), note.error),
      h(
        "div.row-foot",
        {},
        h("span.only-you", {}, icon("eye", 15), "Only you can see this · ", dismiss),
      ),
    ];
  }
}

function sending() {
  return h(
    "div.row-text",
    {},
    h(
      "span.thinking",
      {},
      h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i")),
      "Sending command…",
    ),
  );
}
