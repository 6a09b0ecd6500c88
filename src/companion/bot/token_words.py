"""What the app says about a person's tokens of the HTTP API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from companion.bot.answer import Answer
from companion.bot.wording import moment, quoted
from companion.domain.tokens import ApiToken
from companion.services.tokens import NewToken

USUAL_NAME: Final = "my token"


def created(made: NewToken) -> Answer:
    """Show a new token, this once, and how to use it."""
    token = made.token
    return Answer(
        text=f"**Your token {quoted(token.name)} is ready.** Send it with each request:\n"
        f"```\nAuthorization: Bearer {made.text.reveal()}\n```\n"
        f"Your `user_id` is `{token.discord_id}`. Programs with this token ask as you, so keep it "
        "like a password.\n"
        "I can't show it again: copy it now. To end it: "
        f"`/token action:revoke token:{token.short_id}`\n"
        "-# Whoever runs me knows the address that your programs send it to."
    )


def overview(tokens: Sequence[ApiToken]) -> Answer:
    """List names and ids; what opens the door is not among them."""
    if not tokens:
        return Answer(text="You have no tokens yet. Make one with `/token action:create`.")
    lines = ["**Your tokens**", *(_line(token) for token in tokens)]
    lines.append("-# To end one: `/token action:revoke` with its id as `token`.")
    return Answer(text="\n".join(lines))


def revoked(token: ApiToken) -> Answer:
    """Say that a token opens nothing any more."""
    return Answer(
        text=f"**Your token {quoted(token.name)} is revoked.** Programs that still use it are "
        "refused within five seconds."
    )


def _line(token: ApiToken) -> str:
    ends = f"ends {moment(token.expires_at)}" if token.expires_at else "never expires"
    return f"- {quoted(token.name)}, id `{token.short_id}`, {ends}"
