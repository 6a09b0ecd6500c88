// Discord's block Markdown as a flat list of plain objects. Knows no DOM.

import { parseInline } from "./markdown_inline.js";

const HEADING = /^(#{1,3}) +(.+)$/u;
const SUBTEXT = /^-# +(.+)$/u;
const ITEM = /^( *)([-*]|\d{1,9}\.) +(.*)$/u;
const QUOTE = /^> ?(.*)$/u;
const LANGUAGE = /^[\w+#.-]{1,30}$/u;
const MAX_QUOTES = 3;

/** Parse a whole message into blocks: paragraph, heading, subtext, list, quote, fence. */
export function parseBlocks(text, depth = 0) {
  const blocks = [];
  let rest = text.replace(/\r\n?/gu, "\n");
  while (rest) {
    const [block, after] = nextBlock(rest, depth);
    if (block) blocks.push(block);
    rest = after;
  }
  return blocks;
}

function nextBlock(rest, depth) {
  const line = rest.split("\n", 1)[0];
  const after = rest.slice(line.length + 1);
  if (!line.trim()) return [null, after];
  if (line.startsWith(">>> ") && depth < MAX_QUOTES)
    return [{ type: "quote", children: parseBlocks(rest.slice(4), depth + 1) }, ""];
  if (line.startsWith("> ") && depth < MAX_QUOTES) return takeQuote(rest, depth);
  if (line.startsWith("```")) {
    const fence = takeFence(rest, 0);
    if (fence) return fence;
  }
  const heading = HEADING.exec(line);
  if (heading)
    return [
      { type: "heading", level: heading[1].length, children: parseInline(heading[2].trim()) },
      after,
    ];
  const subtext = SUBTEXT.exec(line);
  if (subtext) return [{ type: "subtext", children: parseInline(subtext[1]) }, after];
  if (ITEM.test(line)) return takeList(rest);
  return takeParagraph(rest, depth);
}

function takeQuote(rest, depth) {
  const inner = [];
  let after = rest;
  while (after) {
    const line = after.split("\n", 1)[0];
    const match = QUOTE.exec(line);
    if (!match || !(line.startsWith("> ") || line === ">")) break;
    inner.push(match[1]);
    after = after.slice(line.length + 1);
  }
  return [{ type: "quote", children: parseBlocks(inner.join("\n"), depth + 1) }, after];
}

/** A code block needs its closing fence; without one the backticks stay as written. */
function takeFence(rest, start) {
  const end = rest.indexOf("```", start + 3);
  if (end === -1) return null;
  const inner = rest.slice(start + 3, end);
  if (!inner.trim()) return null;
  const first = inner.split("\n", 1)[0];
  const named = inner.includes("\n") && LANGUAGE.test(first);
  const code = (named ? inner.slice(first.length + 1) : inner).replace(/^\n+|\n+$/gu, "");
  return [
    { type: "fence", language: named ? first : "", text: code },
    rest.slice(end + 3).replace(/^ *\n/u, ""),
  ];
}

function takeList(rest) {
  const root = { type: "list", ordered: false, start: 1, items: [] };
  const levels = [];
  let after = rest;
  while (after) {
    const line = after.split("\n", 1)[0];
    const item = ITEM.exec(line);
    const more = /^ {2,}\S/u.test(line) && levels.length;
    if (!item && !more) break;
    if (item && root.items.length && !item[1] && item[2].endsWith(".") !== root.ordered) break;
    if (item) addItem(root, levels, item);
    else levels.at(-1).list.items.at(-1).text += `\n${line.trim()}`;
    after = after.slice(line.length + 1);
  }
  finishList(root);
  return [root, after];
}

function addItem(root, levels, [, indent, bullet, text]) {
  const width = indent.length;
  while (levels.length && levels.at(-1).width > width) levels.pop();
  const top = levels.at(-1);
  if (!top) levels.push({ width, list: root });
  else if (width >= top.width + 2 && levels.length < 6) {
    const list = { type: "list", ordered: false, start: 1, items: [] };
    top.list.items.at(-1).lists.push(list);
    levels.push({ width, list });
  }
  const { list } = levels.at(-1);
  if (!list.items.length && bullet.endsWith("."))
    Object.assign(list, { ordered: true, start: Number.parseInt(bullet, 10) });
  list.items.push({ text, lists: [] });
}

function finishList(list) {
  for (const item of list.items) {
    item.children = parseInline(item.text);
    delete item.text;
    item.lists.forEach(finishList);
  }
}

/** Running text up to a blank line or to a line that starts another block. */
function takeParagraph(rest, depth) {
  const lines = [];
  let after = rest;
  while (after) {
    const line = after.split("\n", 1)[0];
    if (lines.length && (!line.trim() || startsBlock(line, depth))) break;
    const fence = line.indexOf("```");
    if (fence > 0 && takeFence(after, fence)) {
      lines.push(line.slice(0, fence));
      after = after.slice(fence);
      break;
    }
    lines.push(line);
    after = after.slice(line.length + 1);
  }
  return [{ type: "paragraph", children: parseInline(lines.join("\n").trimEnd()) }, after];
}

function startsBlock(line, depth) {
  if (line.startsWith("> ") || line.startsWith(">>> ")) return depth < MAX_QUOTES;
  return line.startsWith("```") || HEADING.test(line) || SUBTEXT.test(line) || ITEM.test(line);
}
