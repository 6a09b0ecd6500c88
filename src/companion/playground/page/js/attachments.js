// Files of a message: pictures and sound inline, text with a preview, everything else as a download.

import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { coloured } from "./highlight.js";

const TEXT =
  /\.(txt|md|csv|tsv|json|ya?ml|toml|ini|log|py|js|ts|html?|css|xml|sql|sh|rs|go|c|h|cpp|java|srt|vtt)$/iu;
const PICTURE = /^image\/(png|jpe?g|gif|webp|avif)$/u;
const OWN_FILE = /^\/(?:ephemeral-)?attachments\/\d+\/[^?]+\?.*\bhm=/u;
const PREVIEW_BYTES = 64 * 1024;
const PREVIEW_LINES = 8;

/** Render the attachments of one message. */
export function attachmentNodes(attachments) {
  return attachments.map((file) => {
    const type = (file.content_type ?? "").split(";")[0];
    if (PICTURE.test(type)) return picture(file);
    if (type.startsWith("audio/"))
      return h(
        "figure.file",
        {},
        fileLine(file),
        h("audio", { controls: true, src: localUrl(file.url), preload: "none" }),
      );
    if (type.startsWith("text/") || TEXT.test(file.filename)) return textFile(file);
    return h("figure.file", {}, fileLine(file));
  });
}

/** Only files of this playground are ever loaded; other addresses stay links. */
export function localUrl(url) {
  if (!url || !URL.canParse(url, location.href)) return null;
  const address = new URL(url, location.href);
  if (address.protocol === "blob:" || address.origin === location.origin) return address.href;
  // the files of this server, whatever name the app knows it by
  const path = address.pathname + address.search;
  return OWN_FILE.test(path) ? path : null;
}

/** A picture by its address, or a link where it is not ours to load. */
export function media(url, description, size = {}) {
  const source = localUrl(url);
  if (!source)
    return url && /^https?:/u.test(url)
      ? h(
          "a.media-link",
          { href: url, target: "_blank", rel: "noopener noreferrer" },
          icon("image", 16),
          url,
        )
      : null;
  const image = h("img", {
    src: source,
    alt: description || "",
    loading: "lazy",
    width: size.width,
    height: size.height,
  });
  image.addEventListener("error", () =>
    image.replaceWith(
      h("span.media-broken", {}, icon("image", 16), "This picture cannot be shown"),
    ),
  );
  return image;
}

function picture(file) {
  const image = media(file.url, file.description ?? file.filename, file);
  if (!image) return h("figure.file", {}, fileLine(file));
  return h(
    "figure.picture",
    {},
    h(
      "a",
      {
        href: localUrl(file.url) ?? file.url,
        target: "_blank",
        rel: "noopener",
        title: file.filename,
      },
      image,
    ),
  );
}

function fileLine(file, ...tools) {
  const url = localUrl(file.url) ?? file.url;
  return h(
    "figcaption.file-line",
    {},
    h("span.file-icon", {}, icon("file", 22)),
    h(
      "span.file-words",
      {},
      h("span.file-name", {}, file.filename),
      h("span.file-size", {}, sizeOf(file.size)),
    ),
    tools,
    h(
      "a.tool",
      { href: url, download: file.filename, "aria-label": `Download ${file.filename}` },
      icon("download", 18),
    ),
  );
}

function textFile(file) {
  const code = h("code");
  const preview = h("pre.file-preview", { hidden: true, tabIndex: 0 }, code);
  const more = h("button.file-more", { type: "button", hidden: true });
  const figure = h("figure.file.has-preview", {}, preview, more, fileLine(file));
  loadPreview(file, { code, preview, more });
  return figure;
}

async function loadPreview(file, { code, preview, more }) {
  const source = localUrl(file.url);
  if (!source || file.size > 4 * PREVIEW_BYTES) return;
  const answer = await fetch(source).catch(() => null);
  if (!answer?.ok) return;
  const text = (await answer.text()).slice(0, PREVIEW_BYTES).trimEnd();
  const language = file.filename.split(".").at(-1);
  const lines = text.split("\n");
  const show = (count) => fill(code, coloured(lines.slice(0, count).join("\n"), language));
  show(PREVIEW_LINES);
  preview.hidden = false;
  if (lines.length <= PREVIEW_LINES) return;
  let open = false;
  const label = () => fill(more, open ? "Show less" : `Show all ${lines.length} lines`);
  more.hidden = false;
  more.addEventListener("click", () => {
    open = !open;
    show(open ? lines.length : PREVIEW_LINES);
    label();
  });
  label();
}

/** Bytes as people read them. */
export function sizeOf(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
