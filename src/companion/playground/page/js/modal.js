// The forms an app opens: the dialog, its checks before sending, its errors after.

import { h, fill, freshId } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./avatar.js";
import { FormFields } from "./modal_fields.js";
import { dots } from "./row_parts.js";

/**
 * Open a modal; resolves when it is gone. `hooks`: app, names, candidates(kind), and
 * submit(values), which rejects with words when it failed.
 */
export function openModal(modal, hooks) {
  return new Promise((resolve) => new ModalView(modal, hooks, resolve).open());
}

class ModalView {
  constructor(modal, hooks, resolve) {
    this.hooks = hooks;
    const title = freshId("modal");
    this.fields = new FormFields(hooks);
    this.error = h("div.modal-error", { role: "alert", hidden: true });
    this.done = h("button.button.button-primary", { type: "submit" }, "Submit");
    const close = () => this.dialog.close();
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
          { type: "button", "aria-label": "Close", onclick: close },
          icon("close", 20),
        ),
      ),
      h("div.modal-body", {}, this.fields.nodes(modal.components)),
      h("p.modal-warning", {}, icon("warn", 15), `This form goes to ${hooks.app.name}.`),
      this.error,
      h(
        "footer.modal-foot",
        {},
        h("button.button.button-plain", { type: "button", onclick: close }, "Cancel"),
        this.done,
      ),
    );
    this.dialog = h("dialog.modal", { "aria-labelledby": title }, form);
    this.dialog.addEventListener("close", () => {
      this.dialog.remove();
      restoreCaret(document.activeElement);
      resolve();
    });
  }

  open() {
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.fields.focusFirst();
  }

  async submit(event) {
    event.preventDefault();
    if (!this.fields.check()) return;
    this.busy(true);
    this.error.hidden = true;
    try {
      await this.hooks.submit(this.fields.values());
      this.dialog.close();
    } catch (refusal) {
      const words = refusal.message.replace(/\.?$/u, ".");
      this.error.textContent = `${words} Nothing you typed is lost; try again.`;
      this.error.hidden = false;
      this.busy(false);
    }
  }

  busy(on) {
    this.done.disabled = on;
    this.done.classList.toggle("is-waiting", on);
    this.done.setAttribute("aria-busy", String(on));
    fill(this.done, on ? dots() : "Submit");
  }
}

// What had the focus before a dialog gets it back without a caret in Chromium: keys go nowhere.
function restoreCaret(element) {
  if (element instanceof HTMLTextAreaElement) {
    element.setSelectionRange(element.value.length, element.value.length);
  }
}
