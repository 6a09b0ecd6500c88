// The forms an app opens: legacy rows of text inputs, and labels with text inputs, selects and text.

import { h, fill, freshId } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./avatar.js";
import { prose } from "./markdown.js";
import { SelectMenu } from "./select_menu.js";

const PARAGRAPH = 2;
const TEXT_MAX = 4000;

/** Open a modal; `submit(values)` must reject with words when it failed. Resolves when it is gone. */
export function openModal(modal, { app, names, candidates, submit }) {
  return new Promise((resolve) =>
    new ModalView(modal, { app, names, candidates, submit, resolve }).open(),
  );
}

class ModalView {
  constructor(modal, hooks) {
    this.hooks = hooks;
    this.inputs = [];
    const title = freshId("modal");
    this.error = h("div.modal-error", { role: "alert", hidden: true });
    this.done = h("button.button.button-primary", { type: "submit" }, "Submit");
    const cancel = () =>
      h("button.button.button-plain", { type: "button", onclick: () => this.close() }, "Cancel");
    const form = h(
      "form.modal-form",
      { novalidate: true, onsubmit: (event) => this.submit(event) },
      h(
        "header.modal-head",
        {},
        avatar({ ...hooks.app, bot: true }, 28),
        h("h2", { id: title }, modal.title),
        h(
          "button.tool",
          { type: "button", "aria-label": "Close", onclick: () => this.close() },
          icon("close", 20),
        ),
      ),
      h(
        "div.modal-body",
        {},
        modal.components.map((component) => this.node(component)),
      ),
      h("p.modal-warning", {}, icon("warn", 15), `This form goes to ${hooks.app.name}.`),
      this.error,
      h("footer.modal-foot", {}, cancel(), this.done),
    );
    this.dialog = h("dialog.modal", { "aria-labelledby": title }, form);
    this.dialog.addEventListener("close", () => this.gone());
  }

  open() {
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.inputs[0]?.focus();
  }

  close() {
    this.dialog.close();
  }

  gone() {
    this.dialog.remove();
    this.hooks.resolve();
  }

  node(component, label = null) {
    switch (component.type) {
      case 1:
        return component.components.map((inner) => this.node(inner, { label: inner.label }));
      case 4:
        return this.textInput(component, label ?? { label: component.label });
      case 10:
        return prose(component.content, this.hooks.names);
      case 18:
        return this.node(component.component, component);
      case 3:
        return this.select(component, component.options, label);
      case 5:
      case 6:
      case 7:
      case 8:
        return this.select(
          component,
          this.hooks.candidates(
            { 5: "person", 6: "role", 7: "person", 8: "channel" }[component.type],
          ),
          label,
        );
      default:
        return h("p.modal-unknown", {}, "This playground cannot show one part of this form.");
    }
  }

  frame(component, { label, description }, control, input) {
    const id = freshId("input");
    const note = freshId("note");
    input.id = id;
    input.setAttribute("aria-describedby", note);
    const problem = h("span.modal-problem");
    const required = component.required ?? true;
    const root = h(
      "div.modal-field",
      {},
      h(
        "label",
        { for: id },
        label,
        required && h("span.modal-required", { "aria-label": "required" }, " *"),
      ),
      description && h("p.modal-description", {}, description),
      control,
      h("div.modal-note", { id: note }, problem),
    );
    const mark = (words) => {
      problem.textContent = words;
      root.classList.toggle("is-wrong", Boolean(words));
      if (words) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    };
    return { root, mark, required };
  }

  textInput(component, label) {
    const most = component.max_length ?? TEXT_MAX;
    const attributes = {
      placeholder: component.placeholder ?? "",
      maxlength: most,
      autocomplete: "off",
      spellcheck: "false",
      value: component.value ?? "",
      data: { customId: component.custom_id },
    };
    const control =
      component.style === PARAGRAPH
        ? h("textarea.modal-input", { ...attributes, rows: 5 })
        : h("input.modal-input", { ...attributes, type: "text" });
    const { root, mark, required } = this.frame(component, label, control, control);
    const count = h("span.modal-count");
    root.lastChild.append(count);
    const tally = () =>
      fill(
        count,
        most <= 300 || control.value.length > most * 0.9
          ? `${control.value.length} / ${most}`
          : null,
      );
    control.addEventListener("input", () => {
      mark("");
      tally();
    });
    tally();
    const check = () => {
      if (required && !control.value.trim()) return "This field is required.";
      if (control.value && component.min_length && control.value.length < component.min_length)
        return `Enter at least ${component.min_length} characters.`;
      return "";
    };
    this.inputs.push({
      id: component.custom_id,
      read: () => control.value,
      check,
      mark,
      focus: () => control.focus(),
    });
    return root;
  }

  select(component, choices, label) {
    const given = new Set((component.default_values ?? []).map((value) => value.id));
    const menu = new SelectMenu({
      choices: choices.map((choice) => ({
        ...choice,
        default: choice.default || given.has(choice.value),
      })),
      placeholder: component.placeholder,
      min: component.min_values ?? 1,
      max: component.max_values ?? 1,
      label: label?.label,
      onPicked: () => mark(""),
    });
    const { root, mark, required } = this.frame(
      component,
      label ?? { label: component.placeholder ?? "Select" },
      menu.root,
      menu.button,
    );
    const least = required ? Math.max(1, component.min_values ?? 1) : 0;
    const check = () =>
      menu.values.length < least
        ? least === 1
          ? "Make a selection."
          : `Select at least ${least}.`
        : "";
    this.inputs.push({
      id: component.custom_id,
      read: () => menu.values,
      check,
      mark,
      focus: () => menu.button.focus(),
    });
    return root;
  }

  async submit(event) {
    event.preventDefault();
    const wrong = this.inputs.map((input) => ({ input, words: input.check() }));
    wrong.forEach(({ input, words }) => input.mark(words));
    const first = wrong.find(({ words }) => words);
    if (first) return first.input.focus();
    this.busy(true);
    this.error.hidden = true;
    const values = Object.fromEntries(this.inputs.map((input) => [input.id, input.read()]));
    try {
      await this.hooks.submit(values);
      this.close();
    } catch (refusal) {
      this.error.textContent = `Something went wrong: ${refusal.message} Nothing you typed is lost; try again.`;
      this.error.hidden = false;
      this.busy(false);
    }
    return undefined;
  }

  busy(on) {
    this.done.disabled = on;
    this.done.classList.toggle("is-waiting", on);
    fill(this.done, on ? h("span.dots", {}, h("i"), h("i"), h("i")) : "Submit");
    this.done.setAttribute("aria-busy", String(on));
  }
}
