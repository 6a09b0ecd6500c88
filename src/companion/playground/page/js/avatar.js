// Avatars drawn from a name: the same person always looks the same.

import { h, s } from "./dom.js";

const HUES = [12, 38, 88, 158, 186, 214, 262, 292, 330];

/** The hue of a person, 0-359. */
export function hueOf(name) {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + letter.charCodeAt(0)) % 100003;
  return HUES[sum % HUES.length];
}

function initials(name) {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return (
    letters
      .map((word) => [...word][0] ?? "")
      .join("")
      .toUpperCase() || "?"
  );
}

/** The mark of an app: two overlapping speech bubbles, so that apps differ in shape from people. */
function appMark() {
  return [
    s("path", {
      d: "M8 11.5a4 4 0 0 1 4-4h9a4 4 0 0 1 4 4v5a4 4 0 0 1-4 4h-5l-4.5 4v-4.2a4 4 0 0 1-3.5-3.8z",
      fill: "#fff",
      "fill-opacity": 0.95,
    }),
    s("circle", { cx: 13.2, cy: 14, r: 1.5, class: "avatar-eye" }),
    s("circle", { cx: 19.8, cy: 14, r: 1.5, class: "avatar-eye" }),
  ];
}

function letters(name) {
  const text = s("text", {
    x: 16,
    y: 16,
    "text-anchor": "middle",
    "dominant-baseline": "central",
    fill: "#fff",
    "font-size": 13,
    "font-weight": 650,
  });
  text.textContent = initials(name);
  return [text];
}

/** Return the avatar of `user` ({id, name, bot}) at `size` pixels. */
export function avatar(user, size = 40) {
  const picture = s(
    "svg",
    { viewBox: "0 0 32 32", width: size, height: size, "aria-hidden": "true" },
    s("rect", { width: 32, height: 32, class: "avatar-ground" }),
    ...(user.bot ? appMark() : letters(user.name)),
  );
  const node = h("span.avatar", { class: user.bot ? "is-app" : "" }, picture);
  node.style.setProperty("--hue", String(hueOf(user.name)));
  node.style.setProperty("--size", `${size}px`);
  return node;
}
