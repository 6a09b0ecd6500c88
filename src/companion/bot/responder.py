"""The messages of one reply, wherever they stand.

Every call is one request to Discord: no retries and no waiting in here, because only
the caller knows whether newer text makes an edit pointless. Errors are `DeliveryError`s:

    DeliveryError
    ├── DeliveryGone        the message or the way to it no longer exists: never try again
    └── DeliveryDelayed     Discord did not take it this time; it may the next
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from companion.bot.buttons import Button

UNKNOWN_MESSAGE: Final = 10008
ARCHIVED: Final = 50083
"""Discord's code for a thread in which nothing changes until it is opened again."""


@dataclass(kw_only=True, eq=False)
class DeliveryError(Exception):
    """Discord did not take a message. `status` and `code` are Discord's, 0 when it said nothing."""

    status: int = 0
    code: int = 0

    def __str__(self) -> str:
        return f"status {self.status}, code {self.code}"


class DeliveryGone(DeliveryError):
    """The message, or the token that reaches it, is gone (404, 10008, 10015, 50027)."""


@dataclass(kw_only=True, eq=False)
class DeliveryDelayed(DeliveryError):
    """A passing failure; `retry_after_s` is what Discord asked for, else 0."""

    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A text to attach, sent as UTF-8."""

    name: str
    text: str


class Responder(Protocol):
    """The messages of one reply, numbered from 0. Part 0 exists: the acknowledgement made it.

    At most one call may be under way. Nothing sent through it pings anyone, and links
    in it unfold no previews.
    """

    @property
    def may_send_more(self) -> bool:
        """Whether another part may be sent (a user-installed app has five follow-ups)."""
        ...

    @property
    def seconds_left(self) -> float:
        """How long the parts can still be written to; infinite when nothing ends it."""
        ...

    @property
    def bot_channel(self) -> int | None:
        """The channel whose limits, and the bot token's, these writes count against.

        `None` for an interaction's own webhook, which shares its limits with nothing.
        """
        ...

    def wait_s(self, part: int | None) -> float:
        """Return the seconds until Discord takes the next edit of `part` (`None`: a new part)."""
        ...

    async def edit(
        self,
        part: int,
        content: str,
        *,
        buttons: Sequence[Button] = (),
        file: TextFile | None = None,
    ) -> None:
        """Replace a part's text and buttons, adding `file` to it. Raises `DeliveryError`."""
        ...

    async def send(
        self, content: str, *, buttons: Sequence[Button] = (), file: TextFile | None = None
    ) -> int:
        """Send a new part and return its number. Raises `DeliveryError`."""
        ...

    @property
    def may_move_on(self) -> bool:
        """Whether there is another way to send later parts: as messages of the channel."""
        ...

    def move_on(self) -> None:
        """Take that way. Parts that were sent stay where they are and are not edited again."""
        ...
