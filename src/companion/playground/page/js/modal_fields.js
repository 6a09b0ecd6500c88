// The fields of an app's form: text inputs, selects, radio buttons and check boxes, and text between.

import { h, fill, freshId } from "./dom.js";
import { prose } from "./markdown.js";
import { SelectMenu } from "./select_menu.js";

const PARAGRAPH = 2;
const TEXT_MAX = 4000;
const CANDIDATES = { 5: "person", 6: "role", 7: "person", 8: "channel" };

export class FormFields {
  constructor({ names, candidates }) {
    this.names = names;
    this.candidates = candidates;
    this.inputs = [];
  }

  nodes(components) {
    return components.map((component) => this.node(component, null));
  }

  focusFirst() {
    this.inputs[0]?.focus();
  }

  /** Mark what is wrong and go to the first such field; true when nothing is. */
  check() {
    const wrong = this.inputs.filter((input) => {
      const words = input.problem();
      input.mark(words);
      return words;
    });
    wrong[0]?.focus();
    return wrong.length === 0;
  }

  values() {
    return Object.fromEntries(this.inputs.map((input) => [input.id, input.read()]));
  }

  node(component, label) {
    switch (component.type) {
      case 1:
        return component.components.map((inner) => this.node(inner, inner));
      case 18:
        return this.node(component.component, component);
      case 4:
        return this.textInput(component, label ?? component);
      case 10:
        return prose(component.content, this.names);
      case 3:
        return this.select(component, component.options, label);
      case 21:
      case 22:
        return this.choiceGroup(component, label);
      case 23:
        return this.checkbox(component, label);
      default:
        if (component.type in CANDIDATES)
          return this.select(component, this.candidates(CANDIDATES[component.type]), label);
        return h("p.modal-description", {}, "The playground cannot show one part of this form.");
    }
  }

  /** A label, its control, and room for what is wrong; `focused` is what the label belongs to. */
  frame({ label, description }, control, focused, required) {
    const note = freshId("note");
    focused.id ||= freshId("input");
    focused.setAttribute("aria-describedby", note);
    const problem = h("span.modal-problem");
    const star = required && h("span.modal-required", { "aria-hidden": "true" }, " *");
    const root = h(
      "div.modal-field",
      {},
      h("label", { for: focused.id }, label, star),
      description && h("p.modal-description", {}, description),
      control,
      h("div.modal-note", { id: note }, problem),
    );
    const mark = (words) => {
      problem.textContent = words;
      root.classList.toggle("is-wrong", Boolean(words));
      if (words) focused.setAttribute("aria-invalid", "true");
      else focused.removeAttribute("aria-invalid");
    };
    return { root, mark };
  }

  textInput(component, label) {
    const most = component.max_length ?? TEXT_MAX;
    const least = component.min_length ?? 0;
    const required = component.required ?? true;
    const attributes = {
      placeholder: component.placeholder ?? "",
      maxlength: most,
      autocomplete: "off",
      spellcheck: "false",
      value: component.value ?? "",
      "aria-required": String(required),
      data: { customId: component.custom_id },
    };
    const control =
      component.style === PARAGRAPH
        ? h("textarea.modal-input", { ...attributes, rows: 5 })
        : h("input.modal-input", { ...attributes, type: "text" });
    const { root, mark } = this.frame(label, control, control, required);
    const count = h("span.modal-count");
    root.lastChild.append(count);
    const tally = () => {
      const { length } = control.value;
      fill(count, most <= 300 || length > most * 0.9 ? `${length} / ${most}` : null);
    };
    control.addEventListener("input", () => {
      mark("");
      tally();
    });
    tally();
    const problem = () => {
      if (required && !control.value.trim()) return "This field is required.";
      if (control.value && control.value.length < least)
        return `Enter at least ${least} characters.`;
      return "";
    };
    const read = () => control.value;
    this.inputs.push({
      id: component.custom_id,
      read,
      problem,
      mark,
      focus: () => control.focus(),
    });
    return root;
  }

  select(component, choices, label) {
    const given = new Set((component.default_values ?? []).map((value) => value.id));
    const menu = new SelectMenu({
      choices: choices.map((one) => ({ ...one, default: one.default || given.has(one.value) })),
      placeholder: component.placeholder,
      min: component.min_values ?? 1,
      max: component.max_values ?? 1,
      label: label?.label,
      onPicked: () => mark(""),
    });
    const required = component.required ?? true;
    const name = label ?? { label: component.placeholder ?? "Select" };
    const { root, mark } = this.frame(name, menu.root, menu.button, required);
    const read = () => menu.values;
    const problem = least(component, required, read);
    this.inputs.push({
      id: component.custom_id,
      read,
      problem,
      mark,
      focus: () => menu.button.focus(),
    });
    return root;
  }

  /** Radio buttons (one value) or check boxes (several). */
  choiceGroup(component, label) {
    const type = component.type === 21 ? "radio" : "checkbox";
    const name = freshId("choice");
    const boxes = component.options.map((option) =>
      h("input", { type, name, value: option.value, checked: Boolean(option.default) }),
    );
    const lines = component.options.map((option, i) =>
      h(
        "label.choice",
        {},
        boxes[i],
        h("span", {}, option.label, option.description && h("small", {}, option.description)),
      ),
    );
    const group = h("div.choices", { role: type === "radio" ? "radiogroup" : "group" }, lines);
    group.setAttribute("aria-label", label?.label ?? "");
    const required = component.required ?? true;
    const { root, mark } = this.frame(label ?? {}, group, boxes[0], required);
    group.addEventListener("change", () => mark(""));
    const picked = () => boxes.filter((box) => box.checked).map((box) => box.value);
    const read = () => (type === "radio" ? (picked()[0] ?? "") : picked());
    const problem = least(component, required, picked);
    this.inputs.push({
      id: component.custom_id,
      read,
      problem,
      mark,
      focus: () => boxes[0].focus(),
    });
    return root;
  }

  checkbox(component, label) {
    const box = h("input", { type: "checkbox", checked: Boolean(component.default) });
    const { root, mark } = this.frame(label ?? {}, h("div.choices", {}, box), box, false);
    const read = () => String(box.checked);
    const problem = () => "";
    this.inputs.push({ id: component.custom_id, read, problem, mark, focus: () => box.focus() });
    return root;
  }
}

/** A check that enough was picked, in words. */
function least(component, required, picked) {
  const needed = required ? Math.max(1, component.min_values ?? 1) : 0;
  return () => {
    if (picked().length >= needed) return "";
    return needed === 1 ? "Make a selection." : `Select at least ${needed}.`;
  };
}
