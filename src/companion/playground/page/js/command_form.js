// A command being filled in, inline in the composer: required options first, optional ones by a click or Tab.

import { h, fill, rested } from "./dom.js";
import { icon } from "./icons.js";
import { OptionField } from "./option_field.js";
import { takes } from "./option_rules.js";
import { line } from "./suggest_panel.js";

const AUTOCOMPLETE_REST_MS = 180;

export class CommandForm {
  /** `hooks`: panel, autocomplete(entry, options, focused), pickable(option), onSubmit(), onCancel(). */
  constructor(entry, hooks) {
    this.entry = entry;
    this.hooks = hooks;
    this.fields = [];
    this.fieldBox = h("span.fields");
    this.more = h("span.field-more");
    this.root = h(
      "div.command",
      { role: "group", "aria-label": `Command /${entry.name}` },
      h(
        "span.command-name",
        {},
        h(
          "button.field-remove",
          {
            type: "button",
            "aria-label": "Cancel the command",
            tabIndex: -1,
            onclick: () => hooks.onCancel(),
          },
          icon("close", 13),
        ),
        `/${entry.name}`,
      ),
      this.fieldBox,
      this.more,
    );
    this.ask = rested(AUTOCOMPLETE_REST_MS, (field) => this.fetchChoices(field));
    entry.options.filter((option) => option.required).forEach((option) => this.add(option));
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.drawMore();
  }

  /** Fill in options by name, adding optional ones. */
  prefill(values) {
    for (const [name, text] of Object.entries(values)) {
      const option = this.entry.options.find((one) => one.name === name);
      if (option)
        (this.fields.find((field) => field.option === option) ?? this.add(option)).setText(text);
    }
  }

  add(option) {
    const field = new OptionField(option, {
      pickable: option.choices?.length ? option.choices : this.hooks.pickable(option),
      onRemove: (one) => this.remove(one),
    });
    field.onTaken = () => this.describe(field);
    this.fields.push(field);
    this.fieldBox.append(field.root);
    field.focusable.addEventListener("focus", () => this.focused(field));
    field.focusable.addEventListener("input", () => this.typed(field));
    this.drawMore();
    return field;
  }

  remove(field) {
    const at = this.fields.indexOf(field);
    this.fields.splice(at, 1);
    field.root.remove();
    this.drawMore();
    this.focus(this.fields[at - 1] ?? this.fields[0]);
  }

  drawMore() {
    const rest = this.entry.options.filter(
      (option) => !this.fields.some((field) => field.option === option),
    );
    fill(
      this.more,
      rest.map((option) =>
        h(
          "button.field-add",
          {
            type: "button",
            title: option.description,
            onclick: () => this.focus(this.add(option)),
          },
          icon("plus", 13),
          option.name,
        ),
      ),
    );
  }

  focus(field = this.fields.find((one) => one.isEmpty) ?? this.fields[0]) {
    if (field) field.focusable.focus();
    else {
      this.root.tabIndex = -1;
      this.root.focus();
      this.describe(null);
    }
  }

  get current() {
    return this.fields.find((field) => field.root.contains(document.activeElement)) ?? null;
  }

  focused(field) {
    this.typed(field, true);
  }

  typed(field, first = false) {
    this.ask.cancel();
    if (field.error) return this.describe(field);
    if (field.option.autocomplete && !field.chosen) {
      this.describe(field, { loading: true, keep: true });
      return first ? this.fetchChoices(field) : this.ask(field);
    }
    return this.describe(field);
  }

  async fetchChoices(field) {
    const asked = field.text;
    this.asking = field;
    const answer = await this.hooks
      .autocomplete(this.entry, this.partial(field), field.option.name)
      .catch((refusal) => ({ error: refusal.message }));
    if (this.current !== field || field.text !== asked || field.chosen) return;
    field.offered = answer.choices ?? [];
    if (answer.error) this.describe(field, { failure: "Loading options failed" });
    else this.describe(field, { found: true });
  }

  /** What is entered so far, for the app to complete. */
  partial(focused) {
    const filled = this.fields.filter(
      (field) => !field.isFile && (field === focused || !field.isEmpty),
    );
    return filled.map((field) => ({
      name: field.option.name,
      type: field.option.type,
      value: field === focused ? field.text : (field.result().value ?? field.text),
    }));
  }

  describe(field, { loading = false, found = false, failure = "" } = {}) {
    const title = [
      h("strong", {}, field ? field.option.name : `/${this.entry.name}`),
      h("span", {}, field ? field.option.description : this.entry.description),
    ];
    if (!field) return this.hooks.panel.show({ title });
    const items = this.items(field, found);
    let note = field.error || failure || null;
    if (!note && loading)
      note = [
        h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i")),
        "Loading options…",
      ];
    if (!note && field.listed && !field.chosen && !items.length)
      note = "No options match your search";
    if (!note && !items.length)
      note = `${sentence(takes(field.option))}${this.more.childNodes.length ? " · Tab for more options" : ""}`;
    return this.hooks.panel.show({
      title,
      note,
      items,
      error: Boolean(field.error || failure),
      owner: field.focusable,
      onChoose: (item) => this.chose(field, item.choice),
    });
  }

  items(field, found) {
    if (field.chosen) return [];
    const typed = field.text.trim().toLowerCase();
    const list = field.pickable
      ? field.pickable.filter((choice) => choice.name.toLowerCase().includes(typed))
      : found
        ? field.offered
        : (field.offered ?? []);
    if (field.option.autocomplete && !found) return [];
    return list.slice(0, 25).map((choice) => ({
      key: `${choice.name} ${choice.value}`,
      choice,
      content: line(
        choice.name,
        choice.name === String(choice.value) || field.pickable ? null : String(choice.value),
      ),
    }));
  }

  chose(field, choice) {
    field.choose(choice);
    const next = this.fields.find((one) => one.option.required && one.isEmpty);
    if (next) this.focus(next);
    else this.describe(field);
  }

  key(event) {
    const field = this.current;
    if (field && event.key !== "Tab" && this.hooks.panel.key(event)) return;
    if (event.key === "Escape") this.cancel(event);
    else if (
      event.key === "Enter" &&
      !event.shiftKey &&
      !event.isComposing &&
      !event.target.closest("button:not(.field-drop)")
    )
      this.submit(event);
    else if (event.key === "Backspace" && field?.isEmpty) this.backspace(event, field);
    else if (
      event.key === "Tab" &&
      !event.shiftKey &&
      field?.listed &&
      !field.chosen &&
      !field.isEmpty
    )
      this.hooks.panel.key(event, { tab: true });
  }

  cancel(event) {
    event.preventDefault();
    event.stopPropagation();
    this.hooks.onCancel();
  }

  submit(event) {
    if (event.target.classList.contains("field-drop") && !this.current?.file) return;
    event.preventDefault();
    this.hooks.onSubmit();
  }

  backspace(event, field) {
    event.preventDefault();
    if (!field.option.required) this.remove(field);
    else if (field === this.fields[0]) this.hooks.onCancel();
    else this.focus(this.fields[this.fields.indexOf(field) - 1]);
  }

  /** Give a pasted or dropped file to the focused, else the first empty file option; false where none takes it. */
  takeFile(file) {
    const fits = (field) => field?.isFile;
    const optional = this.entry.options.find(
      (option) => option.type === 11 && !this.fields.some((field) => field.option === option),
    );
    const field = fits(this.current)
      ? this.current
      : (this.fields.find((one) => one.isFile && one.isEmpty) ?? (optional && this.add(optional)));
    field?.take(file);
    return Boolean(field);
  }

  /** Everything entered; marks and focuses the first wrong field and returns `null` when there is one. */
  collect() {
    const results = this.fields.map((field) => ({ field, ...field.result() }));
    const wrong = results.filter((result) => result.error);
    wrong.forEach(({ field, error }) => field.mark(error));
    if (wrong.length) {
      this.focus(wrong[0].field);
      this.describe(wrong[0].field);
      return null;
    }
    return results.filter((result) => result.value !== undefined || result.file);
  }
}

function sentence(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
