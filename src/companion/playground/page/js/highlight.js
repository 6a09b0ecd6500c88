// Light syntax colouring: one pass of one pattern per language family. Returns text nodes and spans.

import { h } from "./dom.js";

const WORDS = {
  python:
    "and as assert async await break class continue def del elif else except False finally for from global if import in is lambda match case None nonlocal not or pass raise return True try while with yield self",
  script:
    "async await break case catch class const continue default delete do else export extends false finally for from function if import in instanceof interface let new null of return static super switch this throw true try type typeof undefined var void while yield enum implements public private readonly",
  c: "auto bool break case catch char class const continue default do double else enum extern false final float for fn func go goto if impl import int interface let long loop match mod mut namespace new nil null nullptr package private protected pub public return self short signed sizeof static struct super switch template this throw trait true try type typedef union unsigned use using var virtual void where while",
  shell:
    "case do done elif else esac export fi for function if in local return set then unset until while cd echo sudo",
  sql: "select from where and or not insert into values update set delete create table index primary key foreign references join left right inner outer on group by order having limit offset as distinct union all null is in like between exists case when then else end with returning",
  data: "true false null yes no on off",
};
const FAMILY = {
  python: ["py", "python", "python3", "pyi"],
  script: ["js", "javascript", "ts", "typescript", "jsx", "tsx", "mjs"],
  c: [
    "c",
    "cpp",
    "c++",
    "h",
    "hpp",
    "cs",
    "csharp",
    "java",
    "kotlin",
    "kt",
    "go",
    "rust",
    "rs",
    "swift",
    "php",
    "dart",
    "scala",
  ],
  shell: ["sh", "bash", "zsh", "shell", "console", "ps1", "powershell", "dockerfile"],
  sql: ["sql", "postgres", "sqlite", "mysql"],
  data: ["json", "yaml", "yml", "toml", "ini"],
};
const HASH_COMMENTS = new Set(["python", "shell", "data"]);
const patterns = new Map();

/** Return child nodes for `text`; plain text where the language is unknown or the code is long. */
export function coloured(text, language) {
  const name = language.toLowerCase();
  if (name === "diff") return text.split(/(?<=\n)/u).map(diffLine);
  const family = Object.keys(FAMILY).find((key) => FAMILY[key].includes(name));
  if (!family || text.length > 20000) return [text];
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(patternOf(family))) {
    const kind = Object.keys(match.groups).find((key) => match.groups[key] !== undefined);
    if (match.index > at) nodes.push(text.slice(at, match.index));
    nodes.push(h(`span.tok-${kind}`, {}, match[0]));
    at = match.index + match[0].length;
  }
  nodes.push(text.slice(at));
  return nodes;
}

function diffLine(line) {
  const kind = { "+": "string", "-": "keyword", "@": "comment" }[line[0]];
  return kind ? h(`span.tok-${kind}`, {}, line) : line;
}

function patternOf(family) {
  if (!patterns.has(family)) patterns.set(family, build(family));
  return patterns.get(family);
}

function build(family) {
  const comment = HASH_COMMENTS.has(family)
    ? "#[^\\n]*"
    : family === "sql"
      ? "--[^\\n]*"
      : "//[^\\n]*|/\\*[^]*?\\*/";
  const triple = family === "python" ? "\"\"\"[^]*?\"\"\"|'''[^]*?'''|" : "";
  const string = `${triple}"(?:\\\\.|[^"\\\\\\n])*"|'(?:\\\\.|[^'\\\\\\n])*'|\`(?:\\\\.|[^\`\\\\])*\``;
  const words = WORDS[family].split(" ").join("|");
  return new RegExp(
    `(?<comment>${comment})|(?<string>${string})|(?<number>\\b\\d[\\d_.]*(?:e[+-]?\\d+)?\\b)|\\b(?<keyword>${words})\\b|(?<call>\\b[A-Za-z_]\\w*(?=\\())`,
    family === "sql" ? "gui" : "gu",
  );
}
