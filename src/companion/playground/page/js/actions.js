// What people do on the page, as requests to the playground.

import { Refused } from "./connection.js";
import { typable } from "./commands.js";
import { copyText, plainWords } from "./markdown.js";
import { openMessageMenu } from "./message_menu.js";
import { openModal } from "./modal.js";
import { openThreadForm } from "./thread_form.js";
import { tooLarge, upload } from "./uploads.js";
import { freshId } from "./dom.js";

const SHOW_SENDING_MS = 250;
const TYPING_MS = 8000;

export function makeActions({ store, connection, names, complain }) {
  const request = (op, data) => connection.request(op, data);
  let typed = { key: "", at: 0 };
  const actions = {
    store,
    names,
    complain,
    mentionsMe: (message) => store.mentionsMe(message),

    go(channel) {
      store.go(channel);
      actions.reply(null);
      actions.toggleSidebar(false);
    },

    async visit(channel, id) {
      if (!store.places.has(channel)) return complain("You cannot see that channel.");
      if (channel !== store.current) {
        actions.go(channel);
        await actions.load(channel);
      }
      return actions.jumpTo(id);
    },

    async be(person) {
      store.memory.set("person", person);
      actions.reply(null);
      await request("be", { person }).catch((refusal) => complain(refusal.message));
      actions.toggleSidebar(false);
    },

    async load(channel) {
      const answer = await request("open", { channel }).catch((refusal) =>
        complain(refusal.message),
      );
      if (!answer) return;
      store.room(channel).load(answer.messages, answer.older, answer.starter);
      store.offer(channel, answer.commands);
    },

    async older(channel) {
      const room = store.room(channel);
      const answer = await request("open", { channel, before: room.messages[0]?.id }).catch(
        (refusal) => complain(refusal.message),
      );
      if (answer) room.prepend(answer.messages, answer.older);
    },

    async say(text, files) {
      const channel = store.current;
      const reply_to = store.replyTo;
      const ping = store.pingsReply;
      actions.reply(null);
      typed = { key: "", at: 0 };
      const tickets = await sendFiles(files);
      await request("say", { channel, text, reply_to, ping, files: tickets });
    },

    /** Let others see that one types; said again only while it would fade. */
    typing() {
      const key = `${store.me?.id} ${store.current}`;
      const now = Date.now();
      if (typed.key === key && now - typed.at < TYPING_MS) return;
      typed = { key, at: now };
      request("typing", { channel: store.current }).catch(() => {});
    },

    /** `results`: [{field: {option}, value} or {field, file}]. */
    async invoke(entry, results) {
      const channel = store.current;
      actions.toEnd();
      const files = await sendFiles(results.filter(({ file }) => file).map(({ file }) => file));
      const options = results.map(({ field: { option }, value, file }) => ({
        name: option.name,
        type: option.type,
        value: file ? files.shift() : value,
      }));
      await run(channel, entry.name, () =>
        request("invoke", { channel, name: entry.name, options }),
      );
    },

    autocomplete: (entry, options, focused) =>
      request("autocomplete", { channel: store.current, name: entry.name, options, focused }),

    click: (message, customId) => answerTo(message, customId, { custom_id: customId }),
    select: (message, customId, values) =>
      answerTo(message, customId, { custom_id: customId, values }),

    dismiss: (message) => store.dismiss(message),

    isMine: (message) => message?.author.id === store.me?.id,

    edit(message) {
      store.editing = message?.id ?? null;
      store.tell("room", store.current);
      if (!message) actions.focusComposer();
    },

    editLast() {
      const mine = store.room(store.current).messages.findLast(actions.isMine);
      if (mine) actions.edit(mine);
    },

    async saveEdit(message, text) {
      if (!text) return actions.remove(message);
      if (text !== message.content) {
        const data = { channel: message.channel_id, message: message.id, text };
        const done = await request("edit", data).catch((refusal) => complain(refusal.message));
        if (!done) return undefined;
      }
      return actions.edit(null);
    },

    async remove(message) {
      const data = { channel: message.channel_id, message: message.id };
      await request("delete", data).catch((refusal) => complain(refusal.message));
      if (store.editing === message.id) actions.edit(null);
    },

    dropNote(id) {
      store.room(store.current).dropNote(id);
      store.tell("room", store.current);
    },

    reply(message) {
      store.replyTo = message?.id ?? null;
      store.pingsReply = true;
      store.tell("reply");
      if (store.current) store.tell("room", store.current);
    },

    replyTarget: () => store.room(store.current).find(store.replyTo) ?? null,

    async copy(text) {
      if (!(await copyText(text))) complain("The browser did not allow copying.");
    },

    menu: (message, anchor, point) => openMessageMenu(message, actions, anchor, point),

    /** Use one of the app's message commands on a message. */
    useOn(message, command) {
      const channel = message.channel_id;
      const data = { channel, name: command.name, target: message.id };
      return run(channel, command.name, () => request("invoke", data));
    },

    // -- threads --------------------------------------------------------------

    startThread(place, message = null) {
      const channel = place?.id ?? message.channel_id;
      const words = message ? plainWords(message.content, names, 60) : "";
      openThreadForm({
        suggested: words,
        about: message
          ? "It hangs at the message. Everyone who sees the channel can join."
          : "Everyone who sees the channel can join.",
        create: (name) => request("thread", { channel, name, message: message?.id ?? null }),
        done({ place: thread }) {
          store.putPlace(thread);
          actions.go(thread.id);
          actions.focusComposer();
        },
      });
    },

    setThread: (place, state) =>
      request("thread_state", { channel: place.id, ...state }).catch((refusal) =>
        complain(refusal.message),
      ),

    write: (text) => actions.composer.write(text),

    openCommand(name, values) {
      const entry = typable(store.offered).find((one) => one.name === name);
      if (entry) actions.composer.openCommand(entry, values);
    },

    /** Choices of user, channel and role options and selects. */
    candidates: (kind, types) =>
      candidates(store, kind, types).map(({ id, name }) => ({ label: name, value: id })),
    pickable(option) {
      const kinds = { 6: ["person"], 7: ["channel"], 8: ["role"], 9: ["person", "role"] }[
        option.type
      ];
      return kinds
        ? kinds
            .flatMap((kind) => candidates(store, kind))
            .map(({ id, name }) => ({ name, value: id }))
        : null;
    },

    // set by the page: places that actions move to
    composer: null,
    focusComposer: () => {},
    jumpTo: () => {},
    toEnd: () => {},
    toggleSidebar: () => {},
  };

  async function sendFiles(files) {
    for (const file of files) {
      const problem = tooLarge(file, store.uploadLimit);
      if (problem) throw new Refused(problem);
    }
    return Promise.all(files.map(upload));
  }

  /** Start an interaction that shows "sending" until the app reacts, and its failure if it does not. */
  async function run(channel, name, start) {
    const room = store.room(channel);
    const note = { id: freshId("note"), name, state: "sending" };
    const show = (shown) => {
      room.dropNote(shown.id);
      room.addNote(shown);
      store.tell("room", channel);
    };
    const patience = setTimeout(() => show(note), SHOW_SENDING_MS);
    const answer = await start().catch((refusal) => ({ error: refusal.message }));
    clearTimeout(patience);
    room.dropNote(note.id);
    if (answer.error) show({ ...note, state: "failed", error: answer.error });
    else store.tell("room", channel);
    if (answer.modal) showModal(answer);
  }

  async function answerTo(message, customId, data) {
    store.failures.delete(message.id);
    store.waiting.set(message.id, { customId });
    store.tell("waiting");
    const answer = await request("component", {
      channel: message.channel_id,
      message: message.id,
      ...data,
    }).catch((refusal) => ({ error: refusal.message }));
    store.waiting.delete(message.id);
    if (answer.error) store.failures.set(message.id, answer.error);
    store.tell("waiting");
    if (answer.modal) showModal(answer);
  }

  function showModal({ interaction, modal }) {
    return openModal(modal, {
      app: store.app,
      names,
      candidates: actions.candidates,
      submit: async (values) => {
        const answer = await request("submit", { interaction, values });
        if (answer.error) throw new Refused(answer.error);
        if (answer.modal) showModal(answer);
      },
    });
  }

  return actions;
}

const CHANNEL_TYPES = { text: 0, thread: 11 };

/** `types` are Discord's numbers of the channels wanted; without them all fit. */
function candidates(store, kind, types = []) {
  const fits = (place) => !types.length || types.includes(CHANNEL_TYPES[place.kind]);
  if (kind === "person") return [...store.people.values(), store.app];
  if (kind === "channel")
    return [...store.places.values()].filter((place) => place.guild && fits(place));
  return store.guilds.flatMap((guild) => guild.roles ?? []);
}
