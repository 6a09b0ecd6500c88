// Line icons, drawn for this page on a 24x24 grid.

import { s } from "./dom.js";

const PATHS = {
  hash: ["M9.5 4 7.5 20", "M16.5 4l-2 16", "M4.5 9h15.5", "M4 15h15.5"],
  thread: ["M6 4v9a4 4 0 0 0 4 4h8", "M15 13.5 18.5 17 15 20.5"],
  at: [
    "M15.5 12a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0Z",
    "M15.5 8.5v4.8a2.6 2.6 0 0 0 5.2 0V12a8.7 8.7 0 1 0-3.5 7",
  ],
  menu: ["M4 7h16", "M4 12h16", "M4 17h10"],
  right: ["M9 6l6 6-6 6"],
  lock: ["M6 11h12v9H6z", "M8.5 11V8a3.5 3.5 0 0 1 7 0v3"],
  archive: ["M4 5h16v4H4z", "M5.5 9v10h13V9", "M10 13h4"],
  people: [
    "M12.5 8.5a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0Z",
    "M2.5 19.5c.6-3.6 3-5.5 6.5-5.5s5.9 1.9 6.5 5.5",
    "M15.5 5.3a3.5 3.5 0 0 1 0 6.4",
    "M18 14.6c2 .8 3.2 2.5 3.5 4.9",
  ],
  close: ["M6 6l12 12", "M18 6 6 18"],
  down: ["M12 5v14", "M6 13l6 6 6-6"],
  chevron: ["M7 10l5 5 5-5"],
  reply: ["M9 7 4 12l5 5", "M4.5 12H14a6 6 0 0 1 6 6v1"],
  more: [5, 12, 19].map((x) => `M${x - 0.6} 12a.6.6 0 1 0 1.2 0 .6.6 0 1 0-1.2 0`),
  copy: ["M9 9h10v11H9z", "M15 9V4H5v11h4"],
  check: ["M5 12.5 10 17.5 19.5 7"],
  plus: ["M12 5v14", "M5 12h14"],
  send: ["M4.5 12 20 4.5 14.5 20l-3.2-6.3z", "M11.3 13.7 20 4.5"],
  slash: ["M15.5 4.5 8.5 19.5", "M4 4h16v16H4z"],
  file: ["M6 3h8l4 4v14H6z", "M14 3v4h4", "M9 12h6", "M9 16h6"],
  image: ["M4 5h16v14H4z", "M4 16l5-5 4 4 3-3 4 4", "M15.5 9.5h.01"],
  download: ["M12 4v11", "M7 11l5 5 5-5", "M5 20h14"],
  trash: ["M5 7h14", "M9 7V4h6v3", "M7 7l1 13h8l1-13"],
  eye: [
    "M2.5 12S6 6 12 6s9.5 6 9.5 6-3.5 6-9.5 6S2.5 12 2.5 12Z",
    "M14.5 12a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z",
  ],
  warn: ["M12 4 2.8 20h18.4z", "M12 10v4.5", "M12 17.3h.01"],
  spark: [
    "M12 3.5l1.9 5.6 5.6 1.9-5.6 1.9L12 18.5l-1.9-5.6L4.5 11l5.6-1.9z",
    "M19 16.5v4",
    "M17 18.5h4",
  ],
  pencil: ["M4 20l1-4.5L16 4.5l3.5 3.5L8.5 19z", "M13.5 7 17 10.5"],
  swap: ["M7 4 3.5 7.5 7 11", "M3.5 7.5H17", "M17 13l3.5 3.5L17 20", "M20.5 16.5H7"],
  open: ["M14 4h6v6", "M20 4l-9 9", "M18 14v6H4V6h6"],
  key: ["M14.5 9.5a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0Z", "M13.2 12.7 20 19.5", "M17 16.5l2-2"],
  help: [
    "M9 9.5a3 3 0 1 1 4.6 2.5c-1 .7-1.6 1.2-1.6 2.5",
    "M12 17.8h.01",
    "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  ],
  bolt: ["M13 3 5 13.5h6L10.5 21 19 10h-6.2z"],
  code: ["M8.5 7 3.5 12l5 5", "M15.5 7l5 5-5 5"],
};

/** Return an icon; decorative, so hidden from screen readers. */
export function icon(name, size = 20) {
  const lines = (PATHS[name] ?? PATHS.spark).map((d) => s("path", { d }));
  return s(
    "svg",
    {
      viewBox: "0 0 24 24",
      width: size,
      height: size,
      class: "icon",
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.9,
      "stroke-linecap": "round",
      "stroke-linejoin": "round",
      "aria-hidden": "true",
    },
    ...lines,
  );
}
