// Files waiting in the composer, and the way they reach the playground.

import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { sizeOf } from "./attachments.js";
import { Refused } from "./connection.js";

const MOST_FILES = 10;

export class UploadTray {
  constructor({ limit, onProblem, onChange }) {
    this.limit = limit;
    this.onProblem = onProblem;
    this.onChange = onChange;
    this.files = [];
    this.root = h("ul.tray", { "aria-label": "Attached files", hidden: true });
  }

  add(files) {
    for (const file of files) {
      if (this.files.length >= MOST_FILES)
        return this.onProblem(`At most ${MOST_FILES} files go into one message.`);
      const problem = tooLarge(file, this.limit());
      if (problem) this.onProblem(problem);
      else this.files.push(file);
    }
    return this.draw();
  }

  remove(file) {
    this.files = this.files.filter((other) => other !== file);
    this.draw();
  }

  /** Hand over all files and empty the tray. */
  take() {
    const { files } = this;
    this.files = [];
    this.draw();
    return files;
  }

  draw() {
    this.root.hidden = this.files.length === 0;
    this.root.querySelectorAll("img").forEach((image) => URL.revokeObjectURL(image.src));
    fill(
      this.root,
      this.files.map((file) => this.item(file)),
    );
    this.onChange?.();
  }

  item(file) {
    const picture = file.type.startsWith("image/")
      ? h("img", { src: URL.createObjectURL(file), alt: "" })
      : icon("file", 26);
    const remove = h(
      "button.tool",
      { type: "button", "aria-label": `Remove ${file.name}`, onclick: () => this.remove(file) },
      icon("trash", 16),
    );
    return h(
      "li.tray-item",
      {},
      h("span.tray-picture", {}, picture),
      h(
        "span.tray-words",
        {},
        h("span.file-name", {}, file.name),
        h("span.file-size", {}, sizeOf(file.size)),
      ),
      remove,
    );
  }
}

/** Why a file may not be sent, or an empty text. */
export function tooLarge(file, limit) {
  return file.size > limit
    ? `${file.name} is too large: ${sizeOf(file.size)}, and ${sizeOf(limit)} is the most.`
    : "";
}

/** Send one file; returns the ticket to name it by in a request. */
export async function upload(file) {
  const answer = await fetch(`play/files?name=${encodeURIComponent(file.name)}`, {
    method: "POST",
    headers: { "Content-Type": file.type || "application/octet-stream", "X-Playground": "1" },
    body: file,
  }).catch(() => null);
  if (!answer) throw new Refused("The file could not be sent to the playground.");
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(body.error ?? `The file was refused (${answer.status}).`);
  return body.file;
}
