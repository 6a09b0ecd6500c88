// Small menus: the apps of a message, and who to be.

import { h } from "./dom.js";
import { openAt } from "./floating.js";

/** Open a menu at `anchor`. `items`: {content, checked?, run}; arrow keys move, Escape closes. */
export function openMenu(anchor, label, items, options = {}) {
  const entries = items.map((item) => entry(item));
  const popup = h(
    "div.popup.menu",
    { popover: "auto", role: "menu", "aria-label": label },
    options.heading && h("div.menu-heading", {}, options.heading),
    entries.length ? entries : h("div.menu-empty", {}, options.empty ?? "Nothing here"),
  );
  function entry(item) {
    const role = item.checked === undefined ? "menuitem" : "menuitemradio";
    const run = () => {
      popup.hidePopover();
      item.run();
    };
    return h(
      "button.menu-item",
      {
        type: "button",
        role,
        "aria-checked": item.checked === undefined ? undefined : String(item.checked),
        onclick: run,
      },
      item.content,
    );
  }
  popup.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !entries.length) return;
    event.preventDefault();
    const at = entries.indexOf(document.activeElement);
    entries[(at + step + entries.length) % entries.length].focus();
  });
  popup.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    popup.remove();
    anchor.setAttribute("aria-expanded", "false");
    if (!document.activeElement || document.activeElement === document.body) anchor.focus();
  });
  document.body.append(popup);
  anchor.setAttribute("aria-expanded", "true");
  openAt(popup, anchor, options);
  (entries.find((node) => node.getAttribute("aria-checked") === "true") ?? entries[0])?.focus();
}
