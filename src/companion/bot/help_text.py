"""The texts of `/help`, built from the registered commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from companion.bot import key_words
from companion.bot.answer import Answer
from companion.bot.buttons import Button, Tone
from companion.bot.command_shapes import CommandShape, OptionKind, OptionShape
from companion.domain.accounts import KeyScope, StoredKey
from companion.domain.actor import Place, PlaceKind
from companion.domain.errors import CommandUnknown

MORE: Final = {
    "ask": (
        "The answer appears while it is being written; *Stop* ends it, *Regenerate* asks again. "
        "I remember what you and I said in this channel, and only that: nobody else's questions. "
        "The small line below an answer says which model wrote it, what it used, and whose key "
        "paid.\n"
        "Try: `/ask prompt:Explain tides to a ten-year-old`"
    ),
    "setkey": (
        "Opens a form for your key. It is checked, stored encrypted, and used only for what you "
        "ask; I never show more of it than its last four characters. Choose how long I keep it. "
        "The button *Remove key* deletes it at once.\n"
        "Try: `/setkey`"
    ),
    "clear": (
        "`here` forgets our conversation in this channel. `everywhere` forgets all of them, and "
        "asks before it does. Your key and your settings stay.\n"
        "Try: `/clear scope:here`"
    ),
    "settings": (
        "Only for people who manage the server, and only they see it. Choose the channels in "
        "which I answer every message, and what may be spent of the server's own API key.\n"
        "Try: `/settings`"
    ),
    "token": (
        "With a token your own programs ask me as you, over HTTP: with your key and your limits. "
        "`create` shows it once, `list` shows your tokens' names and ids, `revoke` ends one. "
        "Whoever has a token can ask as you, so keep it like a password.\n"
        "Try: `/token action:create name:my laptop`"
    ),
    "usage": (
        "Tokens and cost by model, and what is left of a budget where there is one. `server` is "
        "for people who manage the server. Only you see it. ≈ marks what had to be estimated.\n"
        "Try: `/usage period:week`"
    ),
    "help": "Try: `/help command:ask`",
    "Ask about this": (
        "Right-click a message (on a phone: press it long), choose *Apps*, then *Ask about this*, "
        "and type your question. I read that one message and its files for it, whoever wrote it."
    ),
    "Summarize from here": (
        "Right-click a message (on a phone: press it long), choose *Apps*, then *Summarize from "
        "here*. I read from that message on, up to 300 messages, and only you see the summary. "
        "It needs me in the server, with the right to read there."
    ),
}

MENU: Final = {
    "Ask about this": "a question about one message (right-click it → *Apps*)",
    "Summarize from here": "what was said since a message (right-click it → *Apps*)",
}

KINDS: Final = {
    OptionKind.STRING: "text",
    OptionKind.INTEGER: "whole number",
    OptionKind.BOOLEAN: "yes or no",
    OptionKind.NUMBER: "number",
    OptionKind.ATTACHMENT: "file",
}

NOT_READING: Final = (
    "-# I don't see ordinary messages: Discord shows them to apps only with a special permission, "
    "which I run without. What works: `/ask`, mentioning me, a direct message, and a message's "
    "*Apps* menu. I remember the conversation either way."
)
PROVIDED: Final = "You need none here: a shared key pays for your questions."
NEEDED: Final = "Add one before your first question: *Set key* opens the form."
READING: Final = (
    "-# You can also mention me, reply to an answer of mine, or write in a thread I opened."
)
NOT_A_MEMBER: Final = (
    "-# I'm not a member here, so I see no messages. What works: `/ask`, and a message's *Apps* "
    "menu. I remember our conversation."
)


def besides_commands(place: Place, *, reads_messages: bool) -> str:
    """Say how else one can talk with the app there."""
    brought_along = place.user_install_only and place.guild_id is not None
    if brought_along or place.kind is PlaceKind.GROUP_DM:
        return NOT_A_MEMBER
    return READING if reads_messages else NOT_READING


def overview(
    commands: Sequence[CommandShape],
    keys: Mapping[KeyScope, StoredKey | None] | None,
    *,
    besides: str,
    is_provided_for: bool = False,
) -> Answer:
    """Return all commands, and the keys of this person (`None`: they can't be looked up).

    `is_provided_for` says that a key of the server or the operator pays for who has none.
    """
    lines = ["**Ask me anything with `/ask`**, in any channel or direct message."]
    lines += [f"- `{command.title}` – {_description(command)}" for command in commands]
    lines += ["", *_key_lines(keys, is_provided_for=is_provided_for)]
    lines.append("-# More about one command: `/help command:ask`")
    lines.append(besides)
    return Answer(
        text="\n".join(lines),
        buttons=_key_buttons(keys or {}, is_provided_for=is_provided_for),
    )


def details(commands: Sequence[CommandShape], name: str) -> Answer:
    """Return everything about one command; raises `CommandUnknown`."""
    wanted = name.strip().lstrip("/").lower()
    command = next((command for command in commands if command.name.lower() == wanted), None)
    if command is None:
        offered = tuple(command.title for command in commands)
        raise CommandUnknown(command=name, offered=offered)
    lines = [f"**`{command.title}`** – {_description(command)}", MORE.get(command.name, "")]
    lines += [_line(option) for option in command.options]
    return Answer(text="\n".join(line for line in lines if line))


def _description(command: CommandShape) -> str:
    return MENU.get(command.name, command.description)


def _key_lines(
    keys: Mapping[KeyScope, StoredKey | None] | None, *, is_provided_for: bool
) -> list[str]:
    if keys is None:
        return ["Your key: I can't look it up right now."]
    lines = [key_words.status(key, scope) for scope, key in keys.items()]
    if keys.get(KeyScope.ME) is None:
        lines[0] += f" {PROVIDED if is_provided_for else NEEDED}"
    return lines


def _key_buttons(
    keys: Mapping[KeyScope, StoredKey | None], *, is_provided_for: bool
) -> tuple[Button, ...]:
    mine = keys.get(KeyScope.ME)
    label = "Replace key" if mine else "Set key"
    tone = Tone.PLAIN if mine or is_provided_for else Tone.PRIMARY
    buttons = [key_words.set_key(label=label, tone=tone)]
    return (*buttons, *(key_words.remove_key(scope) for scope, key in keys.items() if key))


def _line(option: OptionShape) -> str:
    need = "" if option.required else ", optional"
    return f"- `{option.name}` ({_range(option)}{need}): {option.description}"


def _range(option: OptionShape) -> str:
    if option.choices:
        return " or ".join(f"`{choice}`" for choice in option.choices)
    kind = KINDS[option.kind]
    if option.kind is OptionKind.STRING:
        return f"{kind}, up to {option.maximum:,.0f} characters" if option.maximum else kind
    if option.minimum is not None and option.maximum is not None:
        return f"{kind} from {option.minimum:g} to {option.maximum:g}"
    return f"{kind}, at least {option.minimum:g}" if option.minimum is not None else kind
