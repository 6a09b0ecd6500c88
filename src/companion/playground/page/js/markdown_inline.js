// Discord's inline Markdown as a tree of plain objects. Knows no DOM.
//
// Written as one forward scan: a mark that found no partner once is not searched again,
// so hostile text of thousands of marks stays linear instead of backtracking.

const MAX_DEPTH = 10;
const PUNCTUATION = /[!-/:-@[-`{-~]/u;
const WORD = /[\p{L}\p{N}_]/u;
const LINK =
  /\[((?:\\.|[^\]\\\n]){1,400})\]\(<?(https?:\/\/[^\s<>()]+(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?: +"[^"\n]{0,200}")?\)/uy;
const ADDRESS = /<?(https?:\/\/[^\s<>]+)>?/uy;
const TAGS = [
  [/<@!?(\d{1,20})>/uy, (m) => ({ type: "person", id: m[1] })],
  [/<@&(\d{1,20})>/uy, (m) => ({ type: "role", id: m[1] })],
  [/<#(\d{1,20})>/uy, (m) => ({ type: "channel", id: m[1] })],
  [/<\/([\w -]{1,100}):(\d{1,20})>/uy, (m) => ({ type: "command", name: m[1] })],
  [
    /<t:(-?\d{1,13})(?::([tTdDfFR]))?>/uy,
    (m) => ({ type: "time", seconds: Number(m[1]), style: m[2] ?? "f" }),
  ],
  [/<a?:(\w{2,32}):(\d{1,20})>/uy, (m) => ({ type: "emoji", name: m[1] })],
];
// Longest first: `***` before `**` before `*`.
const MARKS = [
  ["***", (children) => ({ type: "strong", children: [{ type: "em", children }] })],
  ["**", (children) => ({ type: "strong", children })],
  ["__", (children) => ({ type: "under", children })],
  ["~~", (children) => ({ type: "strike", children })],
  ["||", (children) => ({ type: "spoiler", children })],
  ["*", (children) => ({ type: "em", children })],
  ["_", (children) => ({ type: "em", children })],
];
const SPECIAL = /[\\`<[*_~|@h]/u;

/** Parse inline text into nodes: text, code, strong, em, under, strike, spoiler, link, mentions. */
export function parseInline(text, depth = 0) {
  const nodes = [];
  const hopeless = new Set();
  let plain = "";
  let at = 0;
  const push = (node) => {
    if (plain) nodes.push({ type: "text", text: plain });
    plain = "";
    nodes.push(node);
  };
  while (at < text.length) {
    const found = SPECIAL.test(text[at]) ? readOne(text, at, depth, hopeless) : null;
    if (!found) plain += text[at++];
    else {
      if (found.node.type === "text") plain += found.node.text;
      else push(found.node);
      at = found.end;
    }
  }
  if (plain) nodes.push({ type: "text", text: plain });
  return nodes;
}

function readOne(text, at, depth, hopeless) {
  switch (text[at]) {
    case "\\":
      return PUNCTUATION.test(text[at + 1] ?? "")
        ? { node: { type: "text", text: text[at + 1] }, end: at + 2 }
        : null;
    case "`":
      return readCode(text, at);
    case "<":
      return readTag(text, at) ?? readAddress(text, at);
    case "[":
      return readLink(text, at, depth);
    case "h":
      return readAddress(text, at);
    case "@":
      return readEveryone(text, at);
    default:
      return depth < MAX_DEPTH ? readMarked(text, at, depth, hopeless) : null;
  }
}

/** Inline code: as many backticks close it as opened it. */
function readCode(text, at) {
  let ticks = 1;
  while (text[at + ticks] === "`") ticks += 1;
  const fence = "`".repeat(ticks);
  let end = text.indexOf(fence, at + ticks);
  while (end !== -1 && text[end + ticks] === "`") end = text.indexOf(fence, end + ticks + 1);
  if (end === -1 || end === at + ticks)
    return { node: { type: "text", text: fence }, end: at + ticks };
  const inner = text.slice(at + ticks, end);
  const padded = /^ .*\S.* $/su.test(inner) && inner.includes("`");
  return { node: { type: "code", text: padded ? inner.slice(1, -1) : inner }, end: end + ticks };
}

function readTag(text, at) {
  for (const [pattern, make] of TAGS) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) return { node: make(match), end: pattern.lastIndex };
  }
  return null;
}

function readLink(text, at, depth) {
  LINK.lastIndex = at;
  const match = LINK.exec(text);
  if (!match || !readable(match[2])) return null;
  const children = parseInline(match[1], Math.max(depth + 1, MAX_DEPTH - 2)).filter(
    (node) => node.type !== "link",
  );
  return { node: { type: "link", url: match[2], children }, end: LINK.lastIndex };
}

function readAddress(text, at) {
  if (at > 0 && text[at] === "h" && WORD.test(text[at - 1])) return null;
  ADDRESS.lastIndex = at;
  const match = ADDRESS.exec(text);
  if (!match) return null;
  const closed = match[0].startsWith("<") && match[0].endsWith(">");
  if (match[0].startsWith("<") && !closed) return null;
  const url = closed ? match[1] : trimmed(match[1]);
  if (!readable(url)) return null;
  return {
    node: { type: "link", url, children: null },
    end: closed ? ADDRESS.lastIndex : at + url.length,
  };
}

/** An address in running text ends before the sentence's own punctuation. */
function trimmed(url) {
  let end = url.length;
  while (end > 0 && /[.,:;!?'"*_~|`\]]/u.test(url[end - 1])) end -= 1;
  const text = url.slice(0, end);
  return text.endsWith(")") && !text.includes("(") ? text.slice(0, -1) : text;
}

function readable(url) {
  return URL.canParse(url) && /^https?:$/u.test(new URL(url).protocol);
}

function readEveryone(text, at) {
  const word = ["@everyone", "@here"].find((name) => text.startsWith(name, at));
  return word ? { node: { type: "everyone", text: word }, end: at + word.length } : null;
}

function readMarked(text, at, depth, hopeless) {
  for (const [mark, make] of MARKS) {
    if (!text.startsWith(mark, at) || hopeless.has(mark)) continue;
    if (!opens(text, at, mark)) continue;
    const end = closing(text, at + mark.length, mark);
    if (end === -1) hopeless.add(mark);
    else
      return {
        node: make(parseInline(text.slice(at + mark.length, end), depth + 1)),
        end: end + mark.length,
      };
  }
  return null;
}

function opens(text, at, mark) {
  const next = text[at + mark.length] ?? " ";
  if (mark === "_" || mark === "*") {
    if (/\s/u.test(next)) return false;
    if (mark === "_" && at > 0 && WORD.test(text[at - 1])) return false;
  }
  return true;
}

/** Where `mark` closes, or -1. Steps over escapes, code, and (for a single mark) its doubled form. */
function closing(text, from, mark) {
  const doubled = mark.length === 1 ? mark + mark : "";
  let at = from;
  while (at < text.length) {
    if (text[at] === "\\") at += 2;
    else if (text[at] === "`") at = readCode(text, at).end;
    else if (doubled && text.startsWith(doubled, at) && text[at + 2] !== mark) at += 2;
    else if (text.startsWith(mark, at) && at > from && closes(text, at, mark)) return at;
    else at += 1;
  }
  return -1;
}

function closes(text, at, mark) {
  if (mark === "_") return !WORD.test(text[at + 1] ?? " ");
  if (mark === "*") return !/\s/u.test(text[at - 1]);
  // `**bold***` closes with the last two stars
  return mark !== "**" || text[at + 2] !== "*";
}
