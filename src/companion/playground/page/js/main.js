// Start the page: one store, one connection, and the views that watch the store.

import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Header } from "./header.js";
import { Memory } from "./memory.js";
import { Sidebar } from "./sidebar.js";
import { Store } from "./store.js";
import { Timeline } from "./timeline.js";
import { makeActions } from "./actions.js";
import { catchFiles } from "./drop_zone.js";
import { makeToasts } from "./toasts.js";

const part = (id) => document.getElementById(id);

const complain = makeToasts(part("toasts"));
window.addEventListener("error", (event) => complain(`The page failed: ${event.message}`));
window.addEventListener("unhandledrejection", (event) =>
  complain(`The page failed: ${event.reason?.message ?? event.reason}`),
);

// A tab is one person; two tabs can be two people.
const store = new Store(new Memory(window.sessionStorage));

const names = {
  person: (id) => store.person(id)?.name,
  channel: (id) => store.places.get(id)?.name,
  role: (id) =>
    store.guilds.flatMap((guild) => guild.roles ?? []).find((role) => role.id === id)?.name,
  isMe: (id) => id === store.me?.id,
  onChannel: (id) => actions.go(id),
  onMessage: (channel, id) => actions.visit(channel, id),
  onCommand: (name) => actions.openCommand(name),
};

const HANDLERS = {
  ready: (data) => store.ready(data),
  message: (data) => store.putMessage(data),
  message_gone: (data) => store.dropMessage(data.channel, data.id),
  place: (data) => store.putPlace(data),
  place_gone: (data) => store.dropPlace(data.id),
  failure: ({ id, error }) => {
    store.failures.set(id, error);
    store.tell("waiting");
  },
  typing: (data) => store.setTyping(data.channel, data.person),
  commands: () => actions.load(store.current),
  app: (data) => {
    store.app = data;
    store.tell("app");
  },
};

const address = new URL("play", location.href);
address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
const connection = new Connection(address, {
  hello: () => ({ person: store.memory.get("person") }),
  onEvent: (type, data) => HANDLERS[type]?.(data),
  onState: (state) => {
    store.link = state;
    store.tell("link");
  },
});

const actions = makeActions({ store, connection, names, complain });
new Sidebar(part("sidebar"), store, actions);
new Header(part("header"), part("notice"), store, actions);
const timeline = new Timeline(part("timeline"), store, actions, names);
const composer = new Composer(part("composer"), store, actions);

actions.composer = composer;
actions.focusComposer = () => composer.text.focus();
actions.jumpTo = (id) => timeline.reveal(id);
actions.toEnd = () => timeline.stick.toEnd();
actions.toggleSidebar = (open) => {
  const shown = part("app").classList.toggle("shows-sidebar", open);
  part("veil").tabIndex = shown ? 0 : -1;
  if (shown) part("sidebar").querySelector("[aria-current]")?.focus();
};
part("veil").addEventListener("click", () => actions.toggleSidebar(false));
catchFiles(part("stage"), (files) => composer.takeFiles(files));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") actions.toggleSidebar(false);
  const typing = event.target.closest?.(
    "input, textarea, select, button, a, dialog, [popover], [role=button], .timeline pre",
  );
  // any letter typed on the page goes to the composer
  if (!typing && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey)
    composer.text.focus();
});

connection.open();
