// Embeds: a framed card with title, text, fields, pictures and footer.

import { h } from "./dom.js";
import { prose } from "./markdown.js";
import { colour } from "./components.js";
import { media } from "./attachments.js";
import { fullOf } from "./time.js";

export function embedNodes(embeds, names) {
  return embeds.map((embed) => card(embed, names));
}

function card(embed, names) {
  const node = h(
    "article.embed",
    {},
    h(
      "div.embed-main",
      {},
      author(embed.author),
      title(embed, names),
      embed.description && prose(embed.description, names),
      fields(embed.fields ?? [], names),
    ),
    embed.thumbnail && h("div.embed-thumb", {}, media(embed.thumbnail.url, "")),
    embed.image && h("div.embed-image", {}, media(embed.image.url, "")),
    footer(embed),
  );
  if (Number.isInteger(embed.color)) node.style.setProperty("--bar", colour(embed.color));
  return node;
}

function author(person) {
  return person?.name && h("div.embed-author", {}, person.name);
}

function title(embed, names) {
  if (!embed.title) return null;
  const words = prose(embed.title, names);
  if (!/^https?:\/\//u.test(embed.url ?? "")) return h("div.embed-title", {}, words);
  return h(
    "div.embed-title",
    {},
    h("a", { href: embed.url, target: "_blank", rel: "noopener noreferrer" }, embed.title),
  );
}

function fields(list, names) {
  if (!list.length) return null;
  return h(
    "dl.embed-fields",
    {},
    list.map((field) =>
      h(
        "div",
        { class: field.inline ? "is-inline" : "" },
        h("dt", {}, prose(field.name, names)),
        h("dd", {}, prose(field.value, names)),
      ),
    ),
  );
}

function footer(embed) {
  const parts = [embed.footer?.text, embed.timestamp && fullOf(new Date(embed.timestamp))].filter(
    Boolean,
  );
  return parts.length ? h("footer.embed-footer", {}, parts.join(" · ")) : null;
}
