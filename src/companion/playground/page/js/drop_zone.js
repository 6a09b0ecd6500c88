// Files dragged over the page.

import { h } from "./dom.js";
import { icon } from "./icons.js";

export function catchFiles(stage, take) {
  const sign = h(
    "div.drop-sign",
    { hidden: true, "aria-hidden": "true" },
    icon("file", 40),
    h("strong", {}, "Drop to attach"),
    h("span", {}, "Into your message, or into the command you are filling in"),
  );
  stage.append(sign);
  let depth = 0;
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const show = (on) => {
    if (!on) depth = 0;
    sign.hidden = !on;
  };
  window.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    depth += 1;
    show(true);
  });
  window.addEventListener("dragleave", () => {
    depth -= 1;
    if (depth <= 0) show(false);
  });
  window.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  window.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    show(false);
    take([...event.dataTransfer.files]);
  });
}
