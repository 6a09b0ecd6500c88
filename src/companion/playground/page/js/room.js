// The messages of one channel as one person sees them, ordered by id.

/** Order two snowflakes, which do not fit into a number. */
export function compareIds(a, b) {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : Number(a > b);
}

export class Room {
  constructor() {
    this.messages = [];
    this.hasOlder = false;
    this.loaded = false;
    // In a thread: the message of the channel that it started at.
    this.starter = null;
    // The commands that this person is offered here.
    this.commands = null;
    // Rows that only this page knows: commands on their way and commands that failed.
    this.notes = [];
  }

  /** Replace everything with a page of history, the newest last. */
  load(messages, hasOlder, starter = null) {
    this.starter = starter;
    this.messages = [...messages];
    this.hasOlder = hasOlder;
    this.loaded = true;
  }

  prepend(messages, hasOlder) {
    const known = new Set(this.messages.map((message) => message.id));
    this.messages = [...messages.filter((message) => !known.has(message.id)), ...this.messages];
    this.hasOlder = hasOlder;
  }

  find(id) {
    return this.messages.find((message) => message.id === id);
  }

  /** Add or replace one message; true when it was new. */
  put(message) {
    const at = this.messages.findLastIndex((other) => compareIds(other.id, message.id) <= 0);
    if (this.messages[at]?.id === message.id) {
      this.messages[at] = message;
      return false;
    }
    this.messages.splice(at + 1, 0, message);
    return true;
  }

  drop(id) {
    this.messages = this.messages.filter((message) => message.id !== id);
  }

  addNote(note) {
    this.notes.push(note);
  }

  dropNote(id) {
    this.notes = this.notes.filter((note) => note.id !== id);
  }
}
