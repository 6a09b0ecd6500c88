// A row that only this page knows: a command on its way, or one that was not answered.

import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./avatar.js";
import { dots, onlyYou, usedLine } from "./row_parts.js";

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
    const used = h("div.row-above", {}, usedLine(store.me, note.name));
    const head = h(
      "div.row-head",
      {},
      h("span.row-name.is-app", {}, store.app.name),
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
    return [
      h("div.failed", { role: "alert" }, icon("warn", 15), note.error),
      h(
        "div.row-foot",
        {},
        onlyYou(() => this.actions.dropNote(note.id)),
      ),
    ];
  }
}

function sending() {
  return h("div.row-text", {}, h("span.thinking", {}, dots(), "Sending command…"));
}
