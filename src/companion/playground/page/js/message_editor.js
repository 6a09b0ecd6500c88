// Changing a message of one's own, in place.

import { h } from "./dom.js";
import { encoded, nameable, written } from "./mentions.js";

/** Return the editor; Enter saves, Escape leaves everything as it was. */
export function editor(message, actions) {
  const names = nameable(actions.store);
  const text = h("textarea.modal-input.editor", { "aria-label": "Edit message", rows: 2 });
  text.value = written(message.content, names);
  const save = () => actions.saveEdit(message, encoded(text.value.trim(), names));
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape") actions.edit(null);
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  requestAnimationFrame(() => text.focus());
  const button = (words, onclick) => h("button.link", { type: "button", onclick }, words);
  return [
    text,
    h(
      "div.editor-note",
      {},
      "Escape to ",
      button("cancel", () => actions.edit(null)),
      " · Enter to ",
      button("save", save),
    ),
  ];
}
