// One option of a command being filled in: a label and a control for its type.

import { h, fill, freshId } from "./dom.js";
import { icon } from "./icons.js";
import { ATTACHMENT, BOOLEAN, STRING, checked } from "./option_rules.js";

export class OptionField {
  /** `pickable`: [{name, value}] for closed sets, `null` for free entry. */
  constructor(option, { pickable, onRemove }) {
    this.option = option;
    this.pickable =
      option.type === BOOLEAN
        ? [
            { name: "True", value: true },
            { name: "False", value: false },
          ]
        : pickable;
    this.chosen = null;
    this.file = null;
    const id = freshId("option");
    this.control = option.type === ATTACHMENT ? this.fileControl(id) : this.textControl(id);
    const remove =
      !option.required &&
      h(
        "button.field-remove",
        {
          type: "button",
          tabIndex: -1,
          "aria-label": `Remove ${option.name}`,
          onclick: () => onRemove(this),
        },
        icon("close", 13),
      );
    this.root = h(
      "div.field",
      { data: { option: option.name } },
      h("label.field-name", { for: id }, option.name),
      this.control,
      remove,
    );
  }

  textControl(id) {
    const long = this.option.type === STRING && !this.pickable && !this.option.autocomplete;
    const attributes = {
      id,
      autocomplete: "off",
      spellcheck: long ? "true" : "false",
      "aria-required": String(Boolean(this.option.required)),
      "aria-describedby": "panel-note",
    };
    const control = long
      ? h("textarea.field-input", { ...attributes, rows: 1 })
      : h("input.field-input", { ...attributes, type: "text" });
    if (this.listed) {
      control.setAttribute("role", "combobox");
      control.setAttribute("aria-expanded", "false");
    }
    control.addEventListener("input", () => {
      this.chosen = null;
      this.unmark();
    });
    return control;
  }

  fileControl(id) {
    this.input = h("input.field-file", { id, type: "file", tabIndex: -1 });
    this.input.addEventListener("change", () => this.take(this.input.files[0]));
    const button = h(
      "button.field-input.field-drop",
      { type: "button", onclick: () => this.input.click() },
      icon("file", 15),
      h("span", {}, "Choose, drop or paste a file"),
    );
    this.words = button.lastChild;
    this.input.hidden = true;
    this.button = button;
    return h("span.field-files", {}, button, this.input);
  }

  get listed() {
    return Boolean(this.pickable || this.option.autocomplete);
  }

  get focusable() {
    return this.button ?? this.control;
  }

  get isFile() {
    return this.option.type === ATTACHMENT;
  }

  get text() {
    return this.isFile ? "" : this.control.value;
  }

  get isEmpty() {
    return this.isFile ? !this.file : !this.control.value;
  }

  take(file) {
    if (!file) return;
    this.file = file;
    fill(this.words, file.name);
    this.unmark();
    this.onTaken?.(this);
  }

  /** Take a value from a list. */
  choose({ name, value }) {
    this.chosen = { name, value };
    this.control.value = name;
    this.unmark();
  }

  setText(text) {
    this.control.value = text;
  }

  /** {value}, {file}, {error}, or {} where nothing was given. */
  result() {
    if (this.isFile) return this.file ? { file: this.file } : checked(this.option, "");
    if (this.chosen) return { value: this.chosen.value };
    const text = this.control.value;
    if (!this.pickable || !text.trim()) return checked(this.option, text);
    const match = this.pickable.find(
      (choice) => choice.name.toLowerCase() === text.trim().toLowerCase(),
    );
    return match ? { value: match.value } : { error: "Pick one of the listed values." };
  }

  mark(error) {
    this.error = error;
    this.root.classList.add("is-wrong");
    this.focusable.setAttribute("aria-invalid", "true");
  }

  unmark() {
    this.error = null;
    this.root.classList.remove("is-wrong");
    this.focusable.removeAttribute("aria-invalid");
  }
}
