// Build elements. Content only ever enters as text nodes or checked attributes, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: `h("button.plain", {type: "button", onclick}, "Text", child)`. */
export function h(selector, attributes = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  assign(node, attributes);
  node.append(...present(children));
  return node;
}

/** Make an SVG element (icons and avatars). */
export function s(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...present(children));
  return node;
}

function assign(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "class") node.classList.add(...value.split(" ").filter(Boolean));
    else if (PROPERTIES.has(name)) node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "textContent", "tabIndex"]);

function present(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false);
}

/** Replace everything in `node`. */
export function fill(node, ...children) {
  node.replaceChildren(...present(children));
  return node;
}

let counter = 0;

/** A fresh id for aria-labelledby and friends. */
export function freshId(prefix) {
  counter += 1;
  return `${prefix}-${counter}`;
}

/** Wait until typing has rested for `ms`; returns a function with `.cancel()`. */
export function rested(ms, run) {
  let timer = 0;
  const later = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...args), ms);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}
