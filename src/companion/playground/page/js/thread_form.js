// The form that names a new thread.

import { h, freshId } from "./dom.js";
import { icon } from "./icons.js";

const LONGEST_NAME = 100;

/** Ask for a name; `create(name)` rejects with words when it failed, `done` follows when it did not. */
export function openThreadForm({ suggested, about, create, done }) {
  const title = freshId("thread");
  const label = freshId("thread-name");
  const name = h("input.modal-input", {
    id: label,
    type: "text",
    maxlength: LONGEST_NAME,
    required: true,
    autocomplete: "off",
    value: suggested,
  });
  const error = h("div.modal-error", { role: "alert", hidden: true });
  const close = () => dialog.close();
  const submit = async (event) => {
    event.preventDefault();
    const words = name.value.trim();
    if (!words) return name.focus();
    return create(words).then(
      (thread) => {
        close();
        done(thread);
      },
      (refusal) => {
        error.textContent = refusal.message;
        error.hidden = false;
      },
    );
  };
  const dialog = h(
    "dialog.modal",
    { "aria-labelledby": title },
    h(
      "form.modal-form",
      { novalidate: true, onsubmit: submit },
      h(
        "header.modal-head",
        {},
        icon("thread", 24),
        h("h2", { id: title }, "New thread"),
        h(
          "button.tool",
          { type: "button", "aria-label": "Close", onclick: close },
          icon("close", 20),
        ),
      ),
      h(
        "div.modal-body",
        {},
        h("div.modal-field", {}, h("label", { for: label }, "Thread name"), name),
        h("p.modal-description", {}, about),
      ),
      error,
      h(
        "footer.modal-foot",
        {},
        h("button.button.button-plain", { type: "button", onclick: close }, "Cancel"),
        h("button.button.button-primary", { type: "submit" }, "Create thread"),
      ),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  name.select();
}
