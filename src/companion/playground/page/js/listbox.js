// A list to pick from, steered from a text field or a button that keeps the focus.

import { h, fill, freshId } from "./dom.js";

export class ListBox {
  /** `onChoose(item, event)`; `multiple` shows check marks from `item.selected`. */
  constructor({ label, onChoose, multiple = false }) {
    this.onChoose = onChoose;
    this.items = [];
    this.at = -1;
    this.root = h("ul.listbox", {
      role: "listbox",
      id: freshId("list"),
      "aria-label": label,
      "aria-multiselectable": multiple || undefined,
    });
    // keep the focus where it is
    this.root.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  /** Show `items`: {key, content, selected?, heading?}; keeps the active one when it is still there. */
  show(items, { active = 0 } = {}) {
    const kept = this.items[this.at]?.key;
    this.items = items;
    this.nodes = items.map((item, i) => this.option(item, i));
    fill(
      this.root,
      this.nodes.map((node, i) => [
        items[i].heading && h("li.listbox-heading", { role: "presentation" }, items[i].heading),
        node,
      ]),
    );
    const same = kept === undefined ? -1 : items.findIndex((item) => item.key === kept);
    this.activate(same === -1 ? Math.min(active, items.length - 1) : same);
  }

  option(item, i) {
    return h(
      "li.option",
      {
        role: "option",
        id: `${this.root.id}-${i}`,
        "aria-selected": String(Boolean(item.selected)),
        "aria-disabled": item.disabled ? "true" : undefined,
        onclick: (event) => this.choose(i, event),
        onpointermove: () => this.at !== i && this.activate(i, false),
      },
      item.content,
    );
  }

  activate(i, scroll = true) {
    this.nodes?.[this.at]?.classList.remove("is-active");
    this.at = i;
    const node = this.nodes?.[i];
    node?.classList.add("is-active");
    if (scroll) node?.scrollIntoView({ block: "nearest" });
    this.owner?.setAttribute("aria-activedescendant", node?.id ?? "");
  }

  /** Let `owner` (the focused element) announce the active option. */
  attach(owner) {
    this.detach();
    this.owner = owner;
    owner.setAttribute("aria-controls", this.root.id);
    if (owner.role === "combobox") owner.setAttribute("aria-expanded", "true");
    owner.setAttribute("aria-activedescendant", this.nodes?.[this.at]?.id ?? "");
  }

  detach() {
    this.owner?.removeAttribute("aria-controls");
    this.owner?.removeAttribute("aria-activedescendant");
    if (this.owner?.role === "combobox") this.owner.setAttribute("aria-expanded", "false");
    this.owner = null;
  }

  get active() {
    return this.items[this.at] ?? null;
  }

  choose(i, event) {
    const item = this.items[i];
    if (item && !item.disabled) this.onChoose(item, event);
  }

  /** Handle a key for the list; true when it was one of the list's keys. */
  key(event, { tab = false } = {}) {
    if (!this.items.length || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 }[event.key];
    if (step) {
      const last = this.items.length - 1;
      const next = this.at + step;
      this.activate(
        Math.abs(step) > 1 ? Math.max(0, Math.min(last, next)) : (next + last + 1) % (last + 1),
      );
    } else if (
      (event.key === "Enter" && !event.shiftKey) ||
      (tab && event.key === "Tab" && !event.shiftKey)
    ) {
      if (this.at < 0) return false;
      this.choose(this.at, event);
    } else return false;
    event.preventDefault();
    return true;
  }
}
