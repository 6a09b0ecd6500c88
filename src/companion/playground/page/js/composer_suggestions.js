// What the composer offers while one types: commands after `/`, people after `@`, channels after `#`.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./avatar.js";
import { matching, typedCommand } from "./commands.js";
import { nameBeing, nameable } from "./mentions.js";
import { line } from "./suggest_panel.js";

export class Suggestions {
  constructor(composer) {
    this.composer = composer;
  }

  /** Offer what fits the text before the caret, or nothing. */
  update() {
    const { value } = this.composer.text;
    const typed = value.startsWith("/") ? typedCommand(this.composer.commands, value) : null;
    if (typed) return this.composer.openCommand(typed.entry, firstText(typed));
    if (/^\/[^\n]{0,60}$/u.test(value)) return this.suggestCommands(value.slice(1));
    const name = nameBeing(value, this.composer.text.selectionStart);
    if (name) return this.suggestNames(name);
    return this.close();
  }

  close() {
    this.composer.panel.hide();
  }

  open(options) {
    this.composer.panel.show({ ...options, owner: this.composer.text });
  }

  suggestCommands(query) {
    const found = matching(this.composer.commands, query);
    const items = found.slice(0, 50).map((entry) => ({
      key: entry.name,
      entry,
      content: line(`/${entry.name}`, entry.description, tagOf(entry)),
    }));
    const app = this.composer.store.app.name;
    const note = items.length
      ? null
      : this.composer.commands.length
        ? "No command matches"
        : `${app} has registered no commands yet`;
    this.open({
      title: [
        h("strong", {}, query ? "Commands matching" : "Commands"),
        h("span", {}, query ? `/${query}` : `of ${app}`),
      ],
      note,
      items,
      onChoose: (item) => this.composer.openCommand(item.entry),
    });
  }

  suggestNames({ sign, query, start }) {
    const found = nameable(this.composer.store).filter(
      (one) => one.sign === sign && one.name.toLowerCase().startsWith(query),
    );
    if (!found.length || (found.length === 1 && found[0].name.toLowerCase() === query))
      return this.close();
    const items = found.map((one) => ({
      key: one.token,
      one,
      content: [
        one.person ? avatar(one.person, 24) : icon("hash", 18),
        line(one.name, one.person?.bot ? "app" : null),
      ],
    }));
    return this.open({
      title: h("strong", {}, sign === "@" ? "People" : "Channels"),
      items,
      onChoose: ({ one }) => this.insertName(one, start),
    });
  }

  insertName({ sign, name }, start) {
    const after = this.composer.text.value.slice(this.composer.text.selectionStart);
    const before = `${this.composer.text.value.slice(0, start)}${sign}${name} `;
    this.composer.text.value = before + after;
    this.composer.text.setSelectionRange(before.length, before.length);
    this.close();
    this.composer.changed({ quiet: true });
  }
}

function tagOf(entry) {
  const required = entry.options.filter((option) => option.required).map((option) => option.name);
  return required.length ? required.join(" · ") : null;
}

/** Text typed after a command's name goes into its first text option. */
function firstText({ entry, rest }) {
  const option = entry.options.find((one) => one.type === 3 && !one.choices?.length);
  return option && rest.trim() ? { [option.name]: rest } : {};
}
