// One websocket to the playground. Requests are answered by number; events are numbered in
// sequence, and a gap or a lost line leads to a new connection and a fresh picture of the world.

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8000;
const PATIENCE_MS = 20000;

/** What the playground refused, in its own words. */
export class Refused extends Error {}

export class Connection {
  /** `handlers`: hello() -> first message, onEvent(type, data), onState("online"|"reconnecting"). */
  constructor(address, handlers) {
    this.address = address;
    this.handlers = handlers;
    this.waiting = new Map();
    this.nextId = 1;
    this.failures = 0;
    this.socket = null;
    window.addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  open() {
    const socket = new WebSocket(this.address);
    this.socket = socket;
    this.expected = 1;
    socket.addEventListener("open", () => this.send({ op: "hello", ...this.handlers.hello() }));
    socket.addEventListener("message", (event) => this.receive(JSON.parse(event.data)));
    socket.addEventListener("close", () => socket === this.socket && this.lost());
  }

  receive(message) {
    if (message.re !== undefined) return this.answer(message);
    if (message.seq !== this.expected) {
      this.socket.close(4000, "a message is missing");
      return undefined;
    }
    this.expected += 1;
    if (message.type === "ready") {
      this.failures = 0;
      this.handlers.onState("online");
    }
    this.handlers.onEvent(message.type, message.data);
    return undefined;
  }

  answer(message) {
    const waiter = this.waiting.get(message.re);
    if (!waiter) return;
    this.waiting.delete(message.re);
    clearTimeout(waiter.timer);
    if (message.error) waiter.reject(new Refused(message.error));
    else waiter.resolve(message.data);
  }

  lost() {
    this.handlers.onState("reconnecting");
    for (const waiter of this.waiting.values()) {
      clearTimeout(waiter.timer);
      waiter.reject(new Refused("The connection to the playground was lost."));
    }
    this.waiting.clear();
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures);
    this.failures += 1;
    this.retry = setTimeout(() => this.open(), wait * (0.7 + Math.random() * 0.3));
  }

  hurry() {
    if (this.socket?.readyState !== WebSocket.CLOSED || this.failures === 0) return;
    clearTimeout(this.retry);
    this.open();
  }

  send(message) {
    this.socket.send(JSON.stringify(message));
  }

  /** Ask the playground for something; rejects with `Refused`. */
  request(op, data = {}) {
    if (this.socket?.readyState !== WebSocket.OPEN)
      return Promise.reject(new Refused("Not connected to the playground."));
    const id = this.nextId;
    this.nextId += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.answer({ re: id, error: "The playground did not answer." }),
        PATIENCE_MS,
      );
      this.waiting.set(id, { resolve, reject, timer });
      this.send({ op, id, data });
    });
  }
}
