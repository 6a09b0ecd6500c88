// Problems of the page itself, said in a corner until read.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const READ_MS = 8000;

export function makeToasts(frame) {
  return (words) => {
    const last = frame.lastElementChild;
    if (last?.dataset.words === words) last.remove();
    const close = h(
      "button.tool",
      { type: "button", "aria-label": "Close", onclick: () => node.remove() },
      icon("close", 15),
    );
    const node = h("div.toast", { data: { words } }, icon("warn", 18), h("span", {}, words), close);
    frame.append(node);
    setTimeout(() => node.remove(), READ_MS);
  };
}
