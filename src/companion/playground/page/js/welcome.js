// What an empty channel shows: what this is, which model answers, and things to try.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const IDEAS = [
  {
    command: "ask",
    picture: "spark",
    title: "Ask something",
    note: "The answer streams in, with Stop and Regenerate.",
    options: { prompt: "Explain how a rainbow forms, with a short list." },
  },
  {
    command: "ask",
    picture: "code",
    title: "Ask for code",
    note: "See code blocks, colours and long answers split.",
    options: {
      prompt: "Write a Python function that checks whether a word is a palindrome, with tests.",
    },
  },
  {
    command: "setkey",
    picture: "key",
    title: "Bring your own key",
    note: "Opens a small form; the answer is only for you.",
  },
  {
    mention: true,
    picture: "at",
    title: "Just talk",
    note: "Mention the app, then reply to its answers to go on.",
    text: "what can you do?",
  },
  {
    direct: true,
    picture: "eye",
    title: "Write in private",
    note: "A direct message is a conversation of its own.",
  },
  {
    command: "help",
    picture: "help",
    title: "See all commands",
    note: "What the app can do, built from its own commands.",
  },
];

const HEADINGS = {
  text: "Welcome to",
  thread: "",
  dm: "Direct messages with",
  group: "Group with",
};

/** The start of a channel; with suggestions while it is `empty`. */
export function welcome(store, actions, empty) {
  const { place } = store;
  const name = place.kind === "text" ? `#${place.name}` : place.name;
  const mark = h(
    "span.welcome-mark",
    {},
    icon({ thread: "thread", dm: "at", group: "people" }[place.kind] ?? "hash", 34),
  );
  const title = h("h2.welcome-title", {}, `${HEADINGS[place.kind] ?? "Welcome to"} ${name}`.trim());
  if (!empty)
    return h(
      "div.welcome.is-small",
      {},
      mark,
      title,
      h("p.welcome-text", {}, "This is where it begins."),
    );
  return h(
    "div.welcome",
    {},
    mark,
    title,
    h("p.welcome-text", {}, introduction(store)),
    label(store),
    suggestions(store, actions),
    keys(),
  );
}

function introduction({ place, app }) {
  if (place.kind === "dm")
    return `Only you and ${app.name} see this. Write anything, or type / for commands.`;
  if (place.kind === "group")
    return `A group of people who brought ${app.name} along. It hears commands here, nothing else: type /.`;
  if (place.kind === "thread")
    return `One conversation, shared by everyone in it. Mention ${app.name}, reply to it, or type /.`;
  return `A small Discord of your own, with the real ${app.name} app in it. Type / for its commands, mention it, reply to it, or write to it directly. To start:`;
}

function label({ banner }) {
  return banner ? h("p.welcome-model", {}, icon("bolt", 16), h("span", {}, banner)) : null;
}

function suggestions(store, actions) {
  const known = new Set(store.offered.map((command) => command.name));
  const direct = [...store.places.values()].find((place) => place.kind === "dm");
  const inChannel = store.place.kind === "text";
  const fits = (idea) =>
    idea.mention || idea.direct ? inChannel && direct : known.has(idea.command);
  const start = (idea) => {
    if (idea.mention) actions.write(`@${store.app.name} ${idea.text}`);
    else if (idea.direct) actions.go(direct.id);
    else actions.openCommand(idea.command, idea.options);
  };
  const sign = ({ mention, command }) =>
    command ? `/${command}` : mention ? `@${store.app.name}` : "DM";
  const cards = (known.size ? IDEAS.filter(fits) : []).map((idea) =>
    h(
      "button.idea",
      { type: "button", onclick: () => start(idea) },
      h("span.idea-icon", {}, icon(idea.picture, 20)),
      h(
        "span.idea-words",
        {},
        h("span.idea-title", {}, idea.title),
        h("span.idea-note", {}, idea.note),
      ),
      h("code.idea-command", {}, sign(idea)),
    ),
  );
  if (!cards.length)
    cards.push(...store.offered.slice(0, 4).map((command) => plainIdea(command, actions)));
  return h("div.ideas", {}, cards);
}

function plainIdea(command, actions) {
  return h(
    "button.idea",
    { type: "button", onclick: () => actions.openCommand(command.name) },
    h("span.idea-icon", {}, icon("slash", 20)),
    h(
      "span.idea-words",
      {},
      h("span.idea-title", {}, `/${command.name}`),
      h("span.idea-note", {}, command.description),
    ),
  );
}

function keys() {
  const key = (name) => h("kbd", {}, name);
  return h(
    "p.welcome-keys",
    {},
    key("/"),
    " commands · ",
    key("Alt"),
    key("↑"),
    key("↓"),
    " switch channels · ",
    key("Shift"),
    key("Enter"),
    " new line · ",
    key("Esc"),
    " close",
  );
}
