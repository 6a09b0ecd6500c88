"""What the JSON columns of a reply hold: ids and numbers, nothing that anyone wrote."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from companion.domain.actor import (
    ChannelId,
    DiscordUserId,
    Door,
    GuildId,
    InteractionId,
    MessageId,
    Place,
    PlaceKind,
)
from companion.domain.conversation import TurnId
from companion.domain.delivery import Delivery, Ending, ReplyId, Shown, Terms
from companion.domain.models import KeyFingerprint, Payer
from companion.domain.secrets import Secret


def route_of(delivery: Delivery) -> str:
    """Return a delivery without its token."""
    place, until = delivery.place, delivery.token_until
    return _dumped(
        kind=place.kind,
        channel=place.channel_id,
        guild=place.guild_id,
        parent=place.parent_id,
        outside=place.user_install_only,
        asker=delivery.asker,
        door=delivery.door,
        origin=delivery.origin,
        application=delivery.application_id,
        until=until and until.timestamp(),
        reply_to=delivery.reply_to,
        private=delivery.private,
        move=delivery.may_move_on,
        reused=delivery.reused,
    )


def delivery_of(reply: ReplyId, route: str, token: str | None) -> Delivery:
    """Return the delivery again."""
    read: dict[str, Any] = json.loads(route)
    until = read["until"]
    return Delivery(
        id=reply,
        asker=DiscordUserId(read["asker"]),
        place=Place(
            kind=PlaceKind(read["kind"]),
            channel_id=_id(ChannelId, read["channel"]),
            guild_id=_id(GuildId, read["guild"]),
            parent_id=_id(ChannelId, read["parent"]),
            user_install_only=read["outside"],
        ),
        door=Door(read["door"]),
        origin=InteractionId(read["origin"]),
        application_id=read["application"],
        token=None if token is None else Secret(token),
        token_until=None if until is None else datetime.fromtimestamp(until, UTC),
        reply_to=_id(MessageId, read["reply_to"]),
        private=read["private"],
        may_move_on=read["move"],
        reused=tuple(MessageId(each) for each in read["reused"]),
    )


def dumped_terms(terms: Terms) -> str:
    """Return what a reply was begun with."""
    return _dumped(
        payer=terms.payer,
        fingerprint=terms.fingerprint,
        temperature=terms.temperature,
        max_tokens=terms.max_tokens,
        again=terms.again and terms.again.hex,
        repeatable=terms.repeatable,
    )


def terms_of(text: str | None) -> Terms | None:
    """Return it again."""
    if text is None:
        return None
    read: dict[str, Any] = json.loads(text)
    return Terms(
        payer=Payer(read["payer"]),
        fingerprint=KeyFingerprint(read["fingerprint"]),
        temperature=read["temperature"],
        max_tokens=read["max_tokens"],
        again=TurnId(UUID(hex=read["again"])) if read["again"] else None,
        repeatable=read["repeatable"],
    )


def dumped_shown(shown: Shown) -> str:
    """Return the messages that show a reply."""
    return _dumped(follow_ups=shown.follow_ups, in_channel=shown.in_channel)


def shown_of(text: str | None) -> Shown:
    """Return them again."""
    if text is None:
        return Shown()
    read: dict[str, Any] = json.loads(text)
    return Shown(follow_ups=tuple(read["follow_ups"]), in_channel=tuple(read["in_channel"]))


def dumped_ending(ending: Ending) -> str:
    """Return what an answer took."""
    return _dumped(seconds=ending.seconds, cost=ending.cost_micros)


def ending_of(text: str | None) -> Ending | None:
    """Return it again."""
    if text is None:
        return None
    read: dict[str, Any] = json.loads(text)
    return Ending(seconds=read["seconds"], cost_micros=read["cost"])


def _dumped(**fields: object) -> str:
    return json.dumps(fields, separators=(",", ":"))


def _id(kind: Any, value: int | None) -> Any:
    return None if value is None else kind(value)
