// The panel above the composer: a title line, a hint or an error, and a list to pick from.

import { h, fill } from "./dom.js";
import { ListBox } from "./listbox.js";

export class SuggestPanel {
  constructor() {
    this.title = h("div.panel-title");
    this.note = h("div.panel-note", { role: "status" });
    this.list = new ListBox({
      label: "Suggestions",
      onChoose: (item, event) => this.onChoose?.(item, event),
    });
    this.root = h("div.panel", { hidden: true }, this.title, this.note, this.list.root);
    // keep the focus where one types
    this.root.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  /** `items` empty hides the list; `owner` is the focused field. */
  show({ title, note = null, items = [], onChoose, owner, error = false, active = 0 }) {
    this.onChoose = onChoose;
    fill(this.title, title);
    fill(this.note, note);
    this.note.hidden = !note;
    this.note.classList.toggle("is-error", error);
    this.list.show(items, { active });
    this.list.root.hidden = items.length === 0;
    if (items.length && owner) this.list.attach(owner);
    else this.list.detach();
    this.root.hidden = false;
  }

  hide() {
    this.list.show([]);
    this.list.detach();
    this.root.hidden = true;
  }

  get isOpen() {
    return !this.root.hidden;
  }

  key(event, options) {
    return this.isOpen && this.list.items.length > 0 && this.list.key(event, options);
  }
}

/** A line of the panel: a name, what it is, and a tag at the end. */
export function line(name, note, tag) {
  return [
    h(
      "span.option-words",
      {},
      h("span.option-name", {}, name),
      note && h("span.option-note", {}, note),
    ),
    tag && h("span.option-tag", {}, tag),
  ];
}
