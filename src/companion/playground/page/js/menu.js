// Small menus: what one can do with a message or a thread, and who to be.

import { h } from "./dom.js";
import { openAt } from "./floating.js";

/**
 * Open a menu at `anchor`, or at `options.point` {x, y}. `items`: {content, checked?, danger?, run},
 * {heading} or {rule: true}; arrow keys move, Home and End jump, a letter finds, Escape closes.
 */
export function openMenu(anchor, label, items, options = {}) {
  const popup = h("div.popup.menu", {
    // the release of the right button would close an automatic one at once
    popover: options.point ? "manual" : "auto",
    role: "menu",
    "aria-label": label,
  });
  const lines = items.map((item) => line(item, popup));
  const entries = lines.filter((node) => node.tagName === "BUTTON");
  popup.append(
    ...(options.heading ? [h("div.menu-heading", {}, options.heading)] : []),
    ...(entries.length
      ? lines
      : [h("div.menu-empty", {}, options.empty ?? "Nothing here"), ...lines]),
  );
  popup.addEventListener("keydown", (event) => move(event, entries, popup));
  const away = (event) => !popup.contains(event.target) && popup.hidePopover();
  popup.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    document.removeEventListener("pointerdown", away, true);
    popup.remove();
    anchor.setAttribute("aria-expanded", "false");
    if (!document.activeElement || document.activeElement === document.body) anchor.focus();
  });
  if (options.point) document.addEventListener("pointerdown", away, true);
  document.querySelector(".menu")?.hidePopover();
  document.body.append(popup);
  anchor.setAttribute("aria-expanded", "true");
  openAt(popup, options.point ? atPoint(options.point) : anchor, options);
  (entries.find((node) => node.getAttribute("aria-checked") === "true") ?? entries[0])?.focus();
}

function line(item, popup) {
  if (item.rule) return h("hr.menu-rule");
  if (item.heading) return h("div.menu-heading", {}, item.heading);
  return h(
    "button.menu-item",
    {
      type: "button",
      class: item.danger ? "is-danger" : "",
      role: item.checked === undefined ? "menuitem" : "menuitemradio",
      "aria-checked": item.checked === undefined ? undefined : String(item.checked),
      onclick: () => {
        popup.hidePopover();
        item.run();
      },
    },
    item.content,
  );
}

function move(event, entries, popup) {
  const at = entries.indexOf(document.activeElement);
  const last = entries.length - 1;
  const to = {
    ArrowDown: at === last ? 0 : at + 1,
    ArrowUp: at <= 0 ? last : at - 1,
    Home: 0,
    End: last,
  }[event.key];
  if (event.key === "Escape" || event.key === "Tab") popup.hidePopover();
  else if (to !== undefined) entries[to]?.focus();
  else if (event.key.length === 1 && event.key !== " ") find(event.key, entries, at);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function find(letter, entries, at) {
  const order = [...entries.slice(at + 1), ...entries.slice(0, at + 1)];
  const wanted = letter.toLowerCase();
  order.find((node) => node.textContent.trim().toLowerCase().startsWith(wanted))?.focus();
}

function atPoint({ x, y }) {
  return { getBoundingClientRect: () => new DOMRect(x, y, 0, 0) };
}
