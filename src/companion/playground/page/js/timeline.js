// The messages of the current channel: order, grouping, day separators, sticking to the newest.

import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { MessageRow } from "./message_row.js";
import { NoteRow } from "./note_row.js";
import { welcome } from "./welcome.js";
import { compareIds } from "./room.js";
import { dayOf, sameDay } from "./time.js";

const NEAR_END = 60;
const GROUP_MS = 7 * 60 * 1000;

export class Timeline {
  constructor(frame, store, actions, names) {
    this.store = store;
    this.actions = actions;
    this.names = names;
    this.rows = new Map();
    this.stuck = true;
    this.missed = 0;
    this.list = h("ol.rows");
    this.scroller = h(
      "div.timeline",
      { tabIndex: 0, role: "log", "aria-label": "Messages", "aria-relevant": "additions" },
      this.list,
    );
    this.jump = h("button.jump", { type: "button", hidden: true, onclick: () => this.toEnd(true) });
    fill(frame, this.scroller, this.jump);
    this.listen();
  }

  listen() {
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.settle()).observe(this.list);
    new ResizeObserver(() => this.settle()).observe(this.scroller);
    document.addEventListener("visibilitychange", () => this.read());
    this.store.on("current", () => this.open());
    this.store.on("room message", (detail) => this.heard(detail));
    this.store.on("waiting", () => this.plan());
    this.store.on("person app places", () => this.plan());
  }

  get room() {
    return this.store.room(this.store.current);
  }

  /** Show another channel, from its newest message. */
  async open() {
    const channel = this.store.current;
    if (!channel) return;
    this.stuck = true;
    this.missed = 0;
    this.rows.clear();
    const place = this.store.place;
    this.newAfter = this.store.isUnread(place) ? (this.store.readMarks()[channel] ?? null) : null;
    this.draw();
    await this.actions.load(channel);
    if (this.store.current !== channel) return;
    this.draw();
    this.toEnd();
  }

  heard(detail) {
    const channel = detail?.channel ?? detail;
    if (channel !== this.store.current) return;
    if (detail?.isNew && !this.stuck && detail.message.author.id !== this.store.me.id)
      this.missed += 1;
    if (detail?.isNew && detail.message.author.id === this.store.me.id) this.stuck = true;
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
    this.settle();
    this.drawJump();
    this.read();
  }

  wanted() {
    const room = this.room;
    const messages = room.messages.filter((message) => !this.store.dismissed.has(message.id));
    const wanted = [[`top ${this.topKind(room, messages)}`, this.top(room, messages)]];
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
      this.store.place,
      this.store.banner,
      this.store.app,
      this.store.commands.map((command) => command.name),
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
    this.stuck = false;
    await this.actions.older(this.store.current);
    this.draw();
    scroller.scrollTop = scroller.scrollHeight - fromEnd;
  }

  separator(message) {
    const key = `day ${message.id}`;
    const when = new Date(message.timestamp);
    const node =
      this.rows.get(key) ?? h("li.day", { role: "separator" }, h("span", {}, dayOf(when)));
    this.rows.set(key, node);
    return [key, node];
  }

  newMark(message) {
    const key = `new ${message.id}`;
    const node =
      this.rows.get(key) ?? h("li.day.is-new", { role: "separator" }, h("span", {}, "New"));
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
    });
    return row.root;
  }

  noteRow(note) {
    const row = this.rows.get(note.id) ?? new NoteRow(this.actions);
    this.rows.set(note.id, row);
    row.update(note, this.store);
    return row.root;
  }

  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.stuck = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.stuck) this.missed = 0;
    this.drawJump();
    this.read();
  }

  settle() {
    if (this.stuck) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  toEnd(focus = false) {
    this.stuck = true;
    this.missed = 0;
    this.settle();
    this.drawJump();
    if (focus) this.actions.focusComposer();
  }

  drawJump() {
    this.jump.hidden = this.stuck;
    const words = this.missed
      ? `${this.missed} new ${this.missed === 1 ? "message" : "messages"}`
      : "Jump to present";
    if (!this.stuck && this.jump.textContent !== words)
      fill(this.jump, h("span", {}, words), icon("down", 16));
  }

  read() {
    if (this.stuck && !document.hidden && this.store.current && this.room.loaded)
      this.store.markRead(this.store.current);
  }

  reveal(id) {
    const row = this.rows.get(id)?.root;
    if (!row) return;
    this.stuck = false;
    row.scrollIntoView({ block: "center" });
    row.classList.remove("is-flashed");
    requestAnimationFrame(() => row.classList.add("is-flashed"));
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
