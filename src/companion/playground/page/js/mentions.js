// Names in typed text: completing them, and turning them into Discord's own form when sending. No DOM.

const TYPING = /(?:^|\s)([@#])([\p{L}\p{N}_. -]{0,32})$/u;

/** What name is being typed before the caret: {sign, query, start}, or `null`. */
export function nameBeing(text, caret) {
  const match = TYPING.exec(text.slice(0, caret));
  if (!match) return null;
  return { sign: match[1], query: match[2].toLowerCase(), start: caret - match[2].length - 1 };
}

/** Everyone and everything a name may stand for: {sign, name, id, token}. */
export function nameable(store) {
  const people = [{ ...store.app, bot: true }, ...store.people.values()];
  const channels = [...store.places.values()].filter(
    (place) => place.kind === "text" || place.kind === "thread",
  );
  return [
    ...people.map((person) => ({
      sign: "@",
      name: person.name,
      id: person.id,
      token: `<@${person.id}>`,
      person,
    })),
    ...channels.map((place) => ({
      sign: "#",
      name: place.name,
      id: place.id,
      token: `<#${place.id}>`,
      place,
    })),
  ];
}

/** Replace `@Ada` by `<@id>` and `#general` by `<#id>`, outside code. */
export function encoded(text, names) {
  const longest = [...names].sort((a, b) => b.name.length - a.name.length);
  const parts = text.split(/(```[^]*?```|`[^`\n]*`)/u);
  return parts.map((part, i) => (i % 2 ? part : longest.reduce(replaceName, part))).join("");
}

function replaceName(text, { sign, name, token }) {
  const written = name.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&");
  return text.replace(
    new RegExp(`(?<![\\p{L}\\p{N}_<])${sign}${written}(?![\\p{L}\\p{N}_])`, "giu"),
    () => token,
  );
}

/** The other way: `<@id>` as `@Ada`, for editing. */
export function written(text, names) {
  return names.reduce((words, { sign, name, token }) => words.replaceAll(token, sign + name), text);
}
