"""The commands' options as Discord gets them; the callbacks are in `companion.bot.cogs`."""

from __future__ import annotations

from typing import Final

import discord
from discord import Option, OptionChoice
from discord import SlashCommandOptionType as Kind

from companion.bot.suggestions import answered_by_the_bot
from companion.domain.tokens import LONGEST_TOKEN
from companion.services.tokens import LONGEST_NAME

EVERYWHERE: Final = {
    discord.InteractionContextType.guild,
    discord.InteractionContextType.bot_dm,
    discord.InteractionContextType.private_channel,
}
BOTH_INSTALLS: Final = {
    discord.IntegrationType.guild_install,
    discord.IntegrationType.user_install,
}
MAX_PROMPT: Final = 6000

ASK: Final = (
    Option(
        Kind.string,
        "What you want to know, or what to do",
        name="prompt",
        min_length=1,
        max_length=MAX_PROMPT,
    ),
    Option(
        Kind.string,
        "The model that answers; leave it out for your usual one",
        name="model",
        required=False,
        max_length=100,
        autocomplete=answered_by_the_bot,
    ),
    Option(
        Kind.number,
        "How inventive the answer may be: 0 is sober, 2 is wild",
        name="temperature",
        required=False,
        min_value=0,
        max_value=2,
    ),
    Option(
        Kind.integer,
        "The most tokens the answer may have; a token is about four letters",
        name="max_tokens",
        required=False,
        min_value=1,
    ),
    Option(Kind.attachment, "A file to read: text or a picture", name="attachment", required=False),
    Option(Kind.boolean, "Only you see the answer", name="private", required=False, default=False),
)

SETKEY: Final = (
    Option(
        Kind.string,
        "Whose key this is; a server's key needs the right to manage the server",
        name="scope",
        required=False,
        choices=[
            OptionChoice("me: pays only for what I ask", "me"),
            OptionChoice("server: pays for everyone here without a key", "server"),
        ],
    ),
)

CLEAR: Final = (
    Option(
        Kind.string,
        "What I should forget; left out: our conversation in this channel",
        name="scope",
        required=False,
        choices=[
            OptionChoice("here: our conversation in this channel", "here"),
            OptionChoice("everywhere: all our conversations", "everywhere"),
        ],
    ),
)

TOKEN: Final = (
    Option(
        Kind.string,
        "What to do",
        name="action",
        choices=[
            OptionChoice("create: a new token, shown once", "create"),
            OptionChoice("list: my tokens", "list"),
            OptionChoice("revoke: end a token at once", "revoke"),
        ],
    ),
    Option(
        Kind.string,
        "For create: what to call the token, so that you know it again",
        name="name",
        required=False,
        min_length=1,
        max_length=LONGEST_NAME,
    ),
    Option(
        Kind.string,
        "For revoke: the token's id, as `list` shows it",
        name="token",
        required=False,
        max_length=LONGEST_TOKEN,
    ),
)

USAGE: Final = (
    Option(
        Kind.string,
        "Whose use; the server's is for people who manage it",
        name="scope",
        required=False,
        choices=[
            OptionChoice("me: what I used, everywhere", "me"),
            OptionChoice("server: what was used in this server", "server"),
        ],
    ),
    Option(
        Kind.string,
        "How far back; left out: this month",
        name="period",
        required=False,
        choices=[
            OptionChoice("day: today (UTC)", "day"),
            OptionChoice("week: the last seven days", "week"),
            OptionChoice("month: this month", "month"),
        ],
    ),
)

HELP: Final = (
    Option(
        Kind.string,
        "The command to explain",
        name="command",
        required=False,
        max_length=32,
        autocomplete=answered_by_the_bot,
    ),
)
