// Discord's select menus, in messages and in modals: a button that opens a list of choices.

import { h, fill, freshId } from "./dom.js";
import { icon } from "./icons.js";
import { ListBox } from "./listbox.js";
import { openAt } from "./floating.js";

export class SelectMenu {
  /** `choices`: {label, value, description?, default?, emoji?}. `onPicked(values)` after closing. */
  constructor({ choices, placeholder, min = 1, max = 1, disabled = false, label, onPicked }) {
    this.choices = choices;
    this.placeholder = placeholder || "Make a selection";
    this.min = min;
    this.max = max;
    this.onPicked = onPicked;
    this.values = choices.filter((choice) => choice.default).map((choice) => choice.value);
    this.list = new ListBox({
      label: label || this.placeholder,
      multiple: max > 1,
      onChoose: (item) => this.toggle(item.key),
    });
    this.popup = h("div.popup.select-popup", { popover: "auto" }, this.list.root);
    this.words = h("span.select-words", { id: freshId("select") });
    this.button = h(
      "button.select",
      {
        type: "button",
        role: "combobox",
        "aria-haspopup": "listbox",
        "aria-expanded": "false",
        "aria-label": label || this.placeholder,
        disabled,
      },
      this.words,
      icon("chevron", 18),
    );
    this.root = h("div.select-box", {}, this.button, this.popup);
    this.listen();
    this.describe();
  }

  listen() {
    this.button.addEventListener("click", () => this.open());
    this.button.addEventListener("keydown", (event) => this.key(event));
    this.popup.addEventListener("toggle", (event) => event.newState === "closed" && this.closed());
  }

  key(event) {
    if (!this.isOpen) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        this.open();
      }
      return;
    }
    if (event.key === " ") {
      event.preventDefault();
      if (this.list.active) this.toggle(this.list.active.key);
    } else if (event.key === "Tab") this.popup.hidePopover();
    else this.list.key(event);
  }

  get isOpen() {
    return this.popup.matches(":popover-open");
  }

  open() {
    if (this.isOpen) return;
    this.before = [...this.values];
    this.showItems();
    openAt(this.popup, this.button, { matchWidth: true });
    this.list.attach(this.button);
  }

  showItems() {
    const items = this.choices.map((choice) => ({
      key: choice.value,
      selected: this.values.includes(choice.value),
      content: this.line(choice),
    }));
    const chosen = items.findIndex((item) => item.selected);
    this.list.show(items, { active: Math.max(0, chosen) });
  }

  line(choice) {
    const words = [
      h("span.option-name", {}, choice.emoji?.name ? `${choice.emoji.name} ` : "", choice.label),
      choice.description && h("span.option-note", {}, choice.description),
    ];
    return [
      h("span.option-words", {}, words),
      this.values.includes(choice.value) && icon("check", 16),
    ];
  }

  toggle(value) {
    if (this.max === 1) {
      this.values = this.values[0] === value && this.min === 0 ? [] : [value];
      this.popup.hidePopover();
      return;
    }
    if (this.values.includes(value)) this.values = this.values.filter((other) => other !== value);
    else if (this.values.length < this.max) this.values = [...this.values, value];
    this.showItems();
  }

  closed() {
    this.list.detach();
    this.describe();
    const changed = this.values.join("\n") !== this.before?.join("\n");
    if (changed && this.values.length >= this.min) this.onPicked?.(this.values);
  }

  describe() {
    const labels = this.choices
      .filter((choice) => this.values.includes(choice.value))
      .map((choice) => choice.label);
    fill(this.words, labels.length ? labels.join(", ") : this.placeholder);
    this.words.classList.toggle("is-empty", labels.length === 0);
  }
}
