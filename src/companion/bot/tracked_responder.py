"""A responder that writes only while a reply is wanted and ours, and notes what it wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus

from companion.bot.being_written import Subject
from companion.bot.buttons import Button
from companion.bot.responder import UNKNOWN_MESSAGE, DeliveryGone, Responder, TextFile
from companion.domain.delivery import Shown
from companion.services.deliveries import Deliveries


class TrackedResponder:
    """Implements `Responder` by another one; a reply not ours, or unwanted, is gone for it."""

    def __init__(
        self,
        inner: Responder,
        deliveries: Deliveries,
        subject: Subject,
        shown: Callable[[], Shown],
    ) -> None:
        self._inner = inner
        self._deliveries = deliveries
        self._subject = subject
        self._reply = subject.reply
        self._shown = shown
        self._lost = False

    @property
    def may_send_more(self) -> bool:
        """Whether another part may be sent."""
        return self._inner.may_send_more

    @property
    def seconds_left(self) -> float:
        """How long the parts can still be written to."""
        return self._inner.seconds_left

    @property
    def bot_channel(self) -> int | None:
        """The channel whose limits these writes count against."""
        return self._inner.bot_channel

    @property
    def may_move_on(self) -> bool:
        """Whether there is another way to send later parts: none out of another's hands."""
        return not self._lost and self._inner.may_move_on

    def wait_s(self, part: int | None) -> float:
        """Return the seconds until Discord takes the next edit of `part`, or a new part."""
        return self._inner.wait_s(part)

    async def edit(
        self,
        part: int,
        content: str,
        *,
        buttons: Sequence[Button] = (),
        file: TextFile | None = None,
    ) -> None:
        """Replace a part's text and buttons."""
        await self._check()
        await self._inner.edit(part, content, buttons=buttons, file=file)
        self._deliveries.show(self._reply, self._shown())

    async def send(
        self, content: str, *, buttons: Sequence[Button] = (), file: TextFile | None = None
    ) -> int:
        """Send a new part and return its number."""
        await self._check()
        number = await self._inner.send(content, buttons=buttons, file=file)
        self._deliveries.show(self._reply, self._shown())
        return number

    def move_on(self) -> None:
        """Take the other way."""
        self._inner.move_on()

    async def _check(self) -> None:
        if self._subject.is_unwanted:
            raise DeliveryGone(status=HTTPStatus.NOT_FOUND, code=UNKNOWN_MESSAGE)
        if not await self._deliveries.holds(self._reply):
            self._lost = True
            raise DeliveryGone
        self._deliveries.about_to_show(self._reply)
