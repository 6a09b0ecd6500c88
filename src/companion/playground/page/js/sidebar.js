// Servers, channels, threads, DMs; and at the bottom who you are.

import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./avatar.js";
import { openMenu } from "./menu.js";
import { compareIds } from "./room.js";

const ICONS = { text: "hash", thread: "thread", dm: "at", group: "people" };

export class Sidebar {
  constructor(frame, store, actions) {
    this.store = store;
    this.actions = actions;
    this.lists = h("div.places");
    this.who = h("button.who", {
      type: "button",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      onclick: () => this.choosePerson(),
    });
    fill(
      frame,
      h(
        "div.brand",
        {},
        h("span.brand-mark", {}, avatar({ id: "companion", name: "", bot: true }, 30)),
        h("span.brand-words", {}, h("strong", {}, "Companion"), h("span", {}, "playground")),
      ),
      this.lists,
      this.who,
    );
    store.on("places person app", () => this.draw());
    document.addEventListener("keydown", (event) => this.key(event));
  }

  draw() {
    const { store } = this;
    if (!store.me || !this.changed()) return;
    const focused = document.activeElement?.dataset?.place;
    const sections = store.guilds.map((guild) => this.section(guild.name, this.tree(guild)));
    const ofKind = (kind) => [...store.places.values()].filter((place) => place.kind === kind);
    const direct = [...ofKind("dm"), ...ofKind("group")];
    if (direct.length)
      sections.push(
        this.section(
          "Direct messages",
          direct.map((place) => this.item(place)),
        ),
      );
    fill(this.lists, sections);
    if (focused) this.lists.querySelector(`[data-place="${focused}"]`)?.focus();
    fill(
      this.who,
      avatar(store.me, 34),
      h("span.who-words", {}, h("span.who-label", {}, "You are"), h("strong", {}, store.me.name)),
      h("span.sr-only", {}, "Switch person"),
      icon("swap", 18),
    );
  }

  /** Redraw only what looks different: a redrawn button would lose the click that is on its way. */
  changed() {
    const { store } = this;
    const places = [...store.places.values()].map((place) => [
      [place.id, place.kind, place.name, place.parent, place.position, place.archived, place.locked],
      store.isUnread(place),
      store.mentions.get(place.id),
    ]);
    const facts = JSON.stringify([store.guilds, store.current, store.me, store.app, places]);
    const same = facts === this.facts;
    this.facts = facts;
    return !same;
  }

  section(name, items) {
    return h("section.place-section", {}, h("h2.place-heading", {}, name), h("ul", {}, items));
  }

  tree(guild) {
    const places = [...this.store.places.values()].filter((place) => place.guild === guild.id);
    const channels = places
      .filter((place) => place.kind === "text")
      .sort((a, b) => a.position - b.position);
    return channels.map((channel) => {
      const threads = places
        .filter((place) => place.parent === channel.id && this.listed(place))
        .sort((a, b) => compareIds(a.id, b.id));
      return [
        this.item(channel),
        threads.length
          ? h(
              "li",
              {},
              h(
                "ul.threads",
                {},
                threads.map((thread) => this.item(thread)),
              ),
            )
          : null,
      ];
    });
  }

  listed(place) {
    return !place.archived || place.id === this.store.current;
  }

  item(place) {
    const here = place.id === this.store.current;
    const unread = !here && this.store.isUnread(place);
    const count = here ? 0 : (this.store.mentions.get(place.id) ?? 0);
    const picture =
      place.kind === "dm"
        ? h(
            "span.place-face",
            { class: this.store.app.online ? "is-online" : "" },
            avatar({ ...this.store.app, bot: true }, 22),
          )
        : icon(ICONS[place.kind] ?? "hash", 18);
    return h(
      "li",
      {},
      h(
        "button.place",
        {
          type: "button",
          class: `place-${place.kind} ${unread ? "is-unread" : ""}`,
          "aria-current": here ? "page" : undefined,
          data: { place: place.id, name: place.name },
          onclick: () => this.actions.go(place.id),
        },
        picture,
        h("span.place-name", {}, place.name),
        place.archived && icon(place.locked ? "lock" : "archive", 14),
        unread && h("span.sr-only", {}, ", unread"),
        count > 0 && h("span.count", { "aria-label": `${count} mentions` }, String(count)),
      ),
    );
  }

  choosePerson() {
    const { store } = this;
    const items = [...store.people.values()].map((person) => ({
      checked: person.id === store.me.id,
      content: [
        avatar(person, 28),
        h(
          "span.menu-words",
          {},
          h("strong", {}, person.name),
          h("span", {}, person.note ?? `@${person.username}`),
        ),
        person.id === store.me.id && icon("check", 16),
      ],
      run: () => this.actions.be(person.id),
    }));
    openMenu(this.who, "Who to be", items, { heading: "Type and read as", matchWidth: true });
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!event.altKey || !step || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    const order = [...this.lists.querySelectorAll("[data-place]")].map(
      (node) => node.dataset.place,
    );
    const at = order.indexOf(this.store.current);
    this.actions.go(order[(at + step + order.length) % order.length]);
  }
}
