// The line above the messages: where one is, which model answers, and whether the app is there.

import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { archivedMark, openThreadList, openThreadMenu } from "./thread_parts.js";

const ICONS = { text: "hash", thread: "thread", dm: "at", group: "people" };

export class Header {
  constructor(frame, notice, store, actions) {
    this.frame = frame;
    this.notice = notice;
    this.store = store;
    this.actions = actions;
    store.on("current places header app link person", () => this.draw());
  }

  draw() {
    const { place, banner } = this.store;
    if (!place) return;
    const unread = this.store.isUnreadAnywhere();
    const facts = JSON.stringify([
      { ...place, last_message_id: null, newest: null, messages: null },
      this.threads(place).length,
      banner,
      this.state(),
      unread,
    ]);
    if (facts === this.facts) return;
    this.facts = facts;
    document.title = `${unread ? "• " : ""}${place.kind === "text" ? "#" : ""}${place.name} · Companion playground`;
    const parent = this.store.places.get(place.parent);
    fill(
      this.frame,
      h(
        "button.tool.menu-button",
        {
          type: "button",
          "aria-label": "Show channels",
          onclick: () => this.actions.toggleSidebar(),
        },
        icon("menu", 22),
        unread && h("span.menu-dot"),
      ),
      h("span.header-icon", {}, icon(ICONS[place.kind] ?? "hash", 22)),
      parent && [
        h(
          "button.header-parent",
          { type: "button", onclick: () => this.actions.go(parent.id) },
          parent.name,
        ),
        h("span.header-sep", { "aria-hidden": "true" }, "›"),
      ],
      h("h1.header-name", {}, place.name),
      place.archived && archivedMark(place),
      place.topic && h("p.header-topic", { title: place.topic }, place.topic),
      h("span.header-space"),
      this.tools(place),
      banner && h("span.header-model", { title: banner }, icon("bolt", 14), h("span", {}, banner)),
      this.status(),
    );
    this.drawNotice();
  }

  threads(place) {
    return [...this.store.places.values()].filter((one) => one.parent === place.id);
  }

  tools(place) {
    const isThread = place.kind === "thread";
    const count = this.threads(place).length;
    if (!isThread && !count && !place.may?.start_threads) return null;
    const open = isThread ? openThreadMenu : openThreadList;
    return h(
      "button.tool.header-tool",
      {
        type: "button",
        title: isThread ? "Thread options" : "Threads",
        "aria-label": isThread ? "Thread options" : "Threads",
        "aria-haspopup": "menu",
        "aria-expanded": "false",
        onclick: (event) => open(event.currentTarget, this.store.place, this.actions),
      },
      icon(isThread ? "more" : "thread", 20),
      !isThread && count > 0 && h("span.tool-count", { "aria-hidden": "true" }, String(count)),
    );
  }

  status() {
    const [kind, words] = this.state();
    return h(
      "span.status",
      { class: `status-${kind}`, role: "status" },
      h("i", { "aria-hidden": "true" }),
      words,
    );
  }

  state() {
    if (this.store.link === "reconnecting") return ["reconnecting", "Reconnecting…"];
    if (this.store.link === "connecting") return ["reconnecting", "Connecting…"];
    return this.store.app.online
      ? ["online", `${this.store.app.name} is online`]
      : ["offline", `${this.store.app.name} is offline`];
  }

  drawNotice() {
    const [kind] = this.state();
    const words = {
      reconnecting: "The connection to the playground was lost. Trying again…",
      offline: `${this.store.app.name} is not connected. Commands will fail until it is back.`,
    }[kind];
    const connecting = this.store.link === "connecting";
    this.notice.hidden = !words || connecting;
    fill(this.notice, icon("warn", 16), words);
  }
}
