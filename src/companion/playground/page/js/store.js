// All that the page knows, and who wants to hear when it changes. No DOM.

import { Room, compareIds } from "./room.js";

const EPHEMERAL = 1 << 6;

export const isEphemeral = (message) => Boolean(message.flags & EPHEMERAL);

export class Store {
  constructor(memory) {
    this.memory = memory;
    this.listeners = new Map();
    this.world = null;
    this.me = null;
    this.app = { id: "", name: "The app", online: false };
    this.people = new Map();
    this.guilds = [];
    this.places = new Map();
    this.banner = "";
    this.uploadLimit = 10 * 1024 * 1024;
    this.rooms = new Map();
    this.current = null;
    this.link = "connecting";
    this.mentions = new Map();
    this.typing = new Map();
    this.dismissed = new Set();
    // Components being answered, and what went wrong, by message id.
    this.waiting = new Map();
    this.failures = new Map();
    this.replyTo = null;
    this.pingsReply = true;
    this.editing = null;
  }

  on(names, listener) {
    for (const name of names.split(" ")) {
      if (!this.listeners.has(name)) this.listeners.set(name, []);
      this.listeners.get(name).push(listener);
    }
  }

  tell(name, detail) {
    for (const listener of this.listeners.get(name) ?? []) listener(detail);
  }

  get place() {
    return this.places.get(this.current) ?? null;
  }

  /** The commands offered in the current channel. */
  get offered() {
    return this.room(this.current).commands ?? [];
  }

  offer(channel, commands) {
    this.room(channel).commands = commands;
    this.tell("commands");
  }

  room(channel) {
    if (!this.rooms.has(channel)) this.rooms.set(channel, new Room());
    return this.rooms.get(channel);
  }

  person(id) {
    if (id === this.app.id) return { ...this.app, bot: true };
    return this.people.get(id) ?? null;
  }

  /** Take the whole picture, at the start and after each reconnection or change of person. */
  ready(data) {
    const restarted = this.world !== data.world;
    const other = this.me?.id !== data.me.id;
    this.world = data.world;
    this.me = data.me;
    this.app = data.app;
    this.people = new Map(data.people.map((person) => [person.id, person]));
    this.guilds = data.guilds;
    this.places = new Map(data.places.map((place) => [place.id, place]));
    this.banner = data.banner;
    this.uploadLimit = data.upload_limit;
    if (restarted || other) {
      this.rooms.clear();
      this.mentions.clear();
      this.typing.clear();
    }
    this.dismissed = new Set(this.memory.get(`dismissed.${this.world}`));
    this.startReading();
    if (!this.places.has(this.current)) this.current = this.firstPlace();
    this.tell("person");
    this.tell("places");
    this.tell("app");
    this.tell("current");
  }

  firstPlace() {
    const wanted = this.memory.get("channel");
    if (wanted && this.places.has(wanted)) return wanted;
    return [...this.places.values()].find((place) => place.kind === "text")?.id ?? null;
  }

  go(channel) {
    if (!this.places.has(channel) || channel === this.current) return;
    this.current = channel;
    this.memory.set("channel", channel);
    this.tell("current");
    this.tell("places");
  }

  putPlace(place) {
    const old = this.places.get(place.id);
    this.places.set(place.id, {
      ...place,
      last_message_id: place.last_message_id ?? old?.last_message_id ?? null,
    });
    this.tell("places");
    if (place.id === this.current) this.tell("header");
  }

  dropPlace(id) {
    this.places.delete(id);
    this.rooms.delete(id);
    if (this.current === id) {
      this.current = this.firstPlace();
      this.tell("current");
    }
    this.tell("places");
  }

  putMessage(message) {
    const channel = message.channel_id;
    const room = this.room(channel);
    // a thread has the id of the message that it started at
    const thread = this.rooms.get(message.id);
    if (thread) thread.starter = message;
    const isNew = room.loaded ? room.put(message) : !message.edited_timestamp;
    if (this.typing.get(channel)?.delete(message.author.id)) this.tell("typing", channel);
    const place = this.places.get(channel);
    if (place && (!place.last_message_id || compareIds(message.id, place.last_message_id) > 0)) {
      place.last_message_id = message.id;
      if (message.author.id === this.me.id) this.markRead(channel);
      else if (isNew && this.mentionsMe(message))
        this.mentions.set(channel, (this.mentions.get(channel) ?? 0) + 1);
      this.tell("places");
    }
    this.tell("message", { channel, message, isNew });
  }

  dropMessage(channel, id) {
    this.room(channel).drop(id);
    this.tell("room", channel);
  }

  /** Take an ephemeral message out of sight, for this tab. */
  dismiss(message) {
    this.dismissed.add(message.id);
    this.memory.set(`dismissed.${this.world}`, [...this.dismissed]);
    this.tell("room", message.channel_id);
  }

  mentionsMe(message) {
    return Boolean(
      message.mentions?.some((person) => person.id === this.me.id) ||
      (message.mention_everyone ?? false),
    );
  }

  setTyping(channel, person) {
    if (person === this.me.id) return;
    if (!this.typing.has(channel)) this.typing.set(channel, new Map());
    this.typing.get(channel).set(person, Date.now() + 10000);
    this.tell("typing", channel);
  }

  /** The names of those who type in the current channel. */
  typists() {
    const now = Date.now();
    const here = [...(this.typing.get(this.current) ?? [])].filter(([, until]) => until > now);
    return here.map(([id]) => this.person(id)?.name).filter(Boolean);
  }

  /** Channels that existed when this person was first seen count as read. */
  startReading() {
    const marks = this.readMarks();
    const seen = [...this.places.values()].map((place) => [place.id, place.last_message_id ?? "0"]);
    this.memory.set(this.marksName(), { ...Object.fromEntries(seen), ...marks });
  }

  marksName() {
    return `read.${this.world}.${this.me.id}`;
  }

  readMarks() {
    return this.memory.get(this.marksName()) ?? {};
  }

  markRead(channel) {
    const last = this.places.get(channel)?.last_message_id;
    if (!last) return;
    const marks = this.readMarks();
    this.mentions.delete(channel);
    if (marks[channel] === last) return;
    this.memory.set(this.marksName(), { ...marks, [channel]: last });
    this.tell("places");
  }

  isUnreadAnywhere() {
    return [...this.places.values()].some(
      (place) => place.id !== this.current && this.isUnread(place),
    );
  }

  isUnread(place) {
    if (!place.last_message_id) return false;
    return compareIds(place.last_message_id, this.readMarks()[place.id] ?? "0") > 0;
  }
}
