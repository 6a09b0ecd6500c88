// The parts under (or instead of) a message's text: buttons, selects, and the newer layout parts.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { prose } from "./markdown.js";
import { SelectMenu } from "./select_menu.js";

const STYLES = { 1: "primary", 2: "plain", 3: "success", 4: "danger", 5: "plain" };
const PICKS = { 5: ["person"], 6: ["role"], 7: ["person", "role"], 8: ["channel"] };

/**
 * Render components. `use` offers: click(customId), select(customId, values), names, media(url),
 * candidates(kind) for people and channel selects, and waiting: {customId} while one is answered.
 */
export function componentNodes(components, use) {
  return components.map((component) => node(component, use)).filter(Boolean);
}

function node(component, use) {
  switch (component.type) {
    case 1:
      return h("div.component-row", {}, componentNodes(component.components, use));
    case 2:
      return button(component, use);
    case 9:
      return h(
        "div.component-section",
        {},
        h("div.component-stack", {}, componentNodes(component.components, use)),
        component.accessory && node(component.accessory, use),
      );
    case 10:
      return prose(component.content, use.names);
    case 11:
      return use.media(component.media?.url, component.description);
    case 12:
      return h(
        "div.component-gallery",
        {},
        component.items.map((item) => use.media(item.media?.url, item.description)),
      );
    case 14:
      return h(component.divider === false ? "div.component-gap" : "hr.component-rule");
    case 17:
      return container(component, use);
    default:
      return component.type === 3 || component.type in PICKS ? select(component, use) : null;
  }
}

function container(component, use) {
  const box = h("div.component-box", {}, componentNodes(component.components, use));
  if (Number.isInteger(component.accent_color))
    box.style.setProperty("--bar", colour(component.accent_color));
  return box;
}

/** Discord's whole-number colour as CSS. */
export function colour(number) {
  return `#${(number & 0xffffff).toString(16).padStart(6, "0")}`;
}

function button(component, use) {
  const label = [
    component.emoji?.name && h("span.button-emoji", {}, component.emoji.name),
    component.label,
  ];
  if (component.style === 5 && /^https?:\/\//u.test(component.url ?? "")) {
    return h(
      "a.button.button-plain",
      { href: component.url, target: "_blank", rel: "noopener noreferrer" },
      label,
      icon("open", 15),
    );
  }
  const waiting = use.waiting?.customId === component.custom_id;
  return h(
    `button.button.button-${STYLES[component.style] ?? "plain"}`,
    {
      type: "button",
      class: waiting ? "is-waiting" : "",
      disabled: Boolean(component.disabled || use.waiting),
      "aria-busy": waiting ? "true" : undefined,
      data: { customId: component.custom_id },
      onclick: () => use.click(component.custom_id),
    },
    h("span.button-label", {}, label),
    waiting && h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i")),
  );
}

function select(component, use) {
  const choices =
    component.type === 3
      ? component.options
      : PICKS[component.type].flatMap((kind) => use.candidates(kind, component.channel_types));
  const given = new Set((component.default_values ?? []).map((value) => value.id));
  const menu = new SelectMenu({
    choices: choices.map((choice) => ({
      ...choice,
      default: choice.default || given.has(choice.value),
    })),
    placeholder: component.placeholder,
    min: component.min_values ?? 1,
    max: component.max_values ?? 1,
    disabled: Boolean(component.disabled || use.waiting),
    onPicked: (values) => use.select(component.custom_id, values),
  });
  menu.root.classList.toggle("is-waiting", use.waiting?.customId === component.custom_id);
  return menu.root;
}
