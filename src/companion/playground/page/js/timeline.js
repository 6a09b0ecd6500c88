// The messages of the current channel: order, grouping, day separators, sticking to the newest.

import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { MessageRow } from "./message_row.js";
import { NoteRow } from "./note_row.js";
import { welcome } from "./welcome.js";
import { compareIds } from "./room.js";
import { StickToEnd } from "./stick_to_end.js";
import { dayOf, sameDay } from "./time.js";

const GROUP_MS = 7 * 60 * 1000;

export class Timeline {
  constructor(frame, store, actions, names) {
    this.store = store;
    this.actions = actions;
    this.names = names;
    this.rows = new Map();
    this.missed = 0;
    this.list = h("ol.rows");
    this.scroller = h(
      "div.timeline",
      { tabIndex: 0, role: "log", "aria-label": "Messages", "aria-relevant": "additions" },
      this.list,
    );
    this.jump = h("button.jump", { type: "button", hidden: true, onclick: () => this.toEnd() });
    fill(frame, this.scroller, this.jump);
    this.stick = new StickToEnd(this.scroller, this.list, () => this.moved());
    this.listen();
  }

  listen() {
    document.addEventListener("visibilitychange", () => this.read());
    this.store.on("current", () => this.open());
    this.store.on("room message", (detail) => this.heard(detail));
    this.store.on("waiting", () => this.plan());
    this.store.on("person app places commands", () => this.plan());
  }

  get room() {
    return this.store.room(this.store.current);
  }

  /** Show a channel from its newest message; the same one again keeps its place. */
  async open() {
    const { store } = this;
    const channel = store.current;
    if (!channel) return;
    const shown = `${store.world} ${store.me.id} ${channel}`;
    if (this.shown !== shown) {
      this.shown = shown;
      this.missed = 0;
      this.rows.clear();
      this.newAfter = store.isUnread(store.place) ? (store.readMarks()[channel] ?? null) : null;
      this.stick.toEnd();
      this.draw();
    }
    await this.actions.load(channel);
    if (this.store.current === channel) this.draw();
  }

  heard(detail) {
    const channel = detail?.channel ?? detail;
    const { current } = this.store;
    if (channel !== current && detail?.message?.id !== current) return;
    if (detail?.isNew && channel === current) {
      if (detail.message.author.id === this.store.me.id) this.stick.toEnd();
      else if (!this.stick.stuck) this.missed += 1;
    }
    this.plan();
  }

  /** Draw once in the next frame, however many edits arrive before it. */
  plan() {
    if (this.planned) return;
    this.planned = true;
    requestAnimationFrame(() => {
      this.planned = false;
      this.draw();
    });
  }

  draw() {
    if (!this.store.place) return;
    const wanted = this.wanted();
    const keys = new Set(wanted.map(([key]) => key));
    for (const key of this.rows.keys()) if (!keys.has(key)) this.rows.delete(key);
    wanted.forEach(([, node], i) => {
      if (this.list.childNodes[i] !== node)
        this.list.insertBefore(node, this.list.childNodes[i] ?? null);
    });
    while (this.list.childNodes.length > wanted.length) this.list.lastChild.remove();
    this.stick.settle();
    this.drawJump();
    this.read();
  }

  wanted() {
    const room = this.room;
    const messages = room.messages.filter((message) => !this.store.dismissed.has(message.id));
    const kind = this.topKind(room, messages);
    const wanted = [[`top ${kind}`, this.top(room, messages)]];
    if (room.starter && (kind === "start" || kind === "welcome"))
      wanted.push(["starter", this.starterRow(room.starter)]);
    let previous = null;
    let marked = false;
    for (const message of messages) {
      const day = !previous || !sameDay(new Date(previous.timestamp), new Date(message.timestamp));
      const fresh =
        !marked &&
        this.newAfter &&
        compareIds(message.id, this.newAfter) > 0 &&
        message.author.id !== this.store.me.id;
      if (day) wanted.push(this.separator(message));
      if (fresh) wanted.push(this.newMark(message));
      marked ||= fresh;
      wanted.push([
        message.id,
        this.messageRow(message, day || fresh || startsGroup(previous, message)),
      ]);
      previous = message;
    }
    for (const note of room.notes) wanted.push([note.id, this.noteRow(note)]);
    return wanted;
  }

  topKind(room, messages) {
    if (!room.loaded) return "loading";
    if (room.hasOlder) return "older";
    return messages.length || room.notes.length ? "start" : "welcome";
  }

  top(room, messages) {
    const kind = this.topKind(room, messages);
    const key = `top ${kind}`;
    const facts = JSON.stringify([
      { ...this.store.place, last_message_id: null },
      this.store.banner,
      this.store.app,
      this.store.offered.map((command) => command.name),
      this.store.me?.id,
    ]);
    const known = this.rows.get(key);
    if (known?.facts === facts) return known.node;
    const node = h(
      `li.row-top.top-${kind}`,
      {},
      kind === "loading"
        ? skeleton()
        : kind === "older"
          ? this.olderButton()
          : welcome(this.store, this.actions, kind === "welcome"),
    );
    this.rows.set(key, { node, facts });
    return node;
  }

  olderButton() {
    return h(
      "button.older",
      { type: "button", onclick: () => this.older() },
      "Show earlier messages",
    );
  }

  async older() {
    const { scroller } = this;
    const fromEnd = scroller.scrollHeight - scroller.scrollTop;
    this.stick.letGo();
    await this.actions.older(this.store.current);
    this.draw();
    scroller.scrollTop = scroller.scrollHeight - fromEnd;
  }

  separator(message) {
    const key = `day ${message.id}`;
    const when = new Date(message.timestamp);
    const node = this.rows.get(key) ?? h("li.day", {}, h("span", {}, dayOf(when)));
    this.rows.set(key, node);
    return [key, node];
  }

  newMark(message) {
    const key = `new ${message.id}`;
    const node = this.rows.get(key) ?? h("li.day.is-new", {}, h("span", {}, "New"));
    this.rows.set(key, node);
    return [key, node];
  }

  messageRow(message, isHead) {
    const row = this.rows.get(message.id) ?? new MessageRow(this.actions, this.names);
    this.rows.set(message.id, row);
    row.update(message, {
      isHead,
      waiting: this.store.waiting.get(message.id),
      failure: this.store.failures.get(message.id),
      isTarget: this.store.replyTo === message.id,
      isEdited: this.store.editing === message.id,
      thread: this.store.places.get(message.thread_id),
      may: this.store.place.may,
    });
    return row.root;
  }

  /** The message that a thread started at stays in its channel; here it is only shown. */
  starterRow(message) {
    const row = this.rows.get("starter") ?? new MessageRow(this.actions, this.names);
    this.rows.set("starter", row);
    row.root.classList.add("is-starter");
    row.update(message, { isHead: true, isQuoted: true });
    return row.root;
  }

  noteRow(note) {
    const row = this.rows.get(note.id) ?? new NoteRow(this.actions);
    this.rows.set(note.id, row);
    row.update(note, this.store);
    return row.root;
  }

  moved() {
    if (this.stick.stuck) this.missed = 0;
    this.drawJump();
    this.read();
  }

  toEnd() {
    this.stick.toEnd();
    this.actions.focusComposer();
  }

  drawJump() {
    this.jump.hidden = this.stick.stuck;
    const words = this.missed
      ? `${this.missed} new ${this.missed === 1 ? "message" : "messages"}`
      : "Jump to present";
    if (this.jump.textContent !== words) fill(this.jump, h("span", {}, words), icon("down", 16));
  }

  read() {
    if (this.stick.stuck && !document.hidden && this.store.current && this.room.loaded)
      this.store.markRead(this.store.current);
  }

  /** Scroll to a message, loading earlier ones until it is there. */
  async reveal(id) {
    const channel = this.store.current;
    this.draw();
    while (!this.rows.has(id) && this.room.hasOlder && this.store.current === channel)
      await this.older();
    const row = this.rows.get(id)?.root;
    if (!row) return this.actions.complain("This message is gone.");
    this.stick.letGo();
    row.scrollIntoView({ block: "center" });
    row.classList.remove("is-flashed");
    requestAnimationFrame(() => row.classList.add("is-flashed"));
    return undefined;
  }
}

function startsGroup(previous, message) {
  if (!previous || previous.author.id !== message.author.id) return true;
  if (message.referenced_message !== undefined || message.command || message.type === 18)
    return true;
  if ((previous.flags & 64) !== (message.flags & 64)) return true;
  return new Date(message.timestamp) - new Date(previous.timestamp) > GROUP_MS;
}

function skeleton() {
  const line = (width) => h(`span.bone.bone-${width}`);
  return h(
    "div.skeleton",
    { "aria-label": "Loading messages" },
    [1, 2, 3].map(() =>
      h(
        "div.bones",
        {},
        h("span.bone.bone-face"),
        h("div", {}, line("short"), line("long"), line("mid")),
      ),
    ),
  );
}
