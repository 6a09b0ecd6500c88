"""Reading a whole answer that goes on to the client as it is."""

from __future__ import annotations

import asyncio
from typing import Final

import aiohttp

from companion.domain.conversation import Finish
from companion.domain.errors import ProviderBroken
from companion.llm.answer import Watchdog, finish_of
from companion.llm.chunks import read_error
from companion.llm.connection import LARGEST_BODY
from companion.llm.refusals import Refusal
from companion.llm.relay_chunks import decode_relayed, usage_in
from companion.llm.transport import read_bounded
from companion.ports.relay import Endpoint, RelayBody, RelayCall, RelayEnding, RelayHead

LARGEST_PICTURES: Final = 64 * 2**20
_PICTURES: Final = {Endpoint.IMAGES, Endpoint.IMAGE_EDITS}
_SPEECH: Final = {Endpoint.TRANSCRIPTIONS, Endpoint.TRANSLATIONS}
_WITH_CHOICES: Final = {Endpoint.CHAT, Endpoint.COMPLETIONS}
_SUBTITLES: Final = {"text/plain", "text/vtt", "application/x-subrip", "text/srt"}


async def whole_answer(
    answer: aiohttp.ClientResponse, head: RelayHead, call: RelayCall, watchdog: Watchdog
) -> RelayBody:
    """Read an answer of bounded size; raises what `translated` knows."""
    limit = LARGEST_PICTURES if call.endpoint in _PICTURES else LARGEST_BODY
    async with asyncio.timeout_at(watchdog.deadline):
        data = await read_bounded(answer, limit)
    kind = head.content_type.partition(";")[0]
    if call.endpoint in _SPEECH and kind in _SUBTITLES:
        ending = RelayEnding(finish=Finish.COMPLETE, usage=None)
        return RelayBody(head=head, data=data, text=data.decode(errors="replace"), ending=ending)
    if kind != "application/json":
        raise ProviderBroken(status=answer.status, request_id=head.request_id)
    return _of_json(data, head, call)


def _of_json(data: bytes, head: RelayHead, call: RelayCall) -> RelayBody:
    try:
        whole = decode_relayed(data)
    except RecursionError:
        raise ProviderBroken(request_id=head.request_id) from None
    if whole.failed:
        refused = read_error(whole.error)
        raise Refusal(body=refused, model=call.model, request_id=head.request_id).as_error()
    if call.endpoint in _WITH_CHOICES and not whole.choices:
        raise ProviderBroken(request_id=head.request_id)
    reason = next((c.finish_reason for c in whole.choices if c.finish_reason), "")
    ending = RelayEnding(finish=finish_of(reason), usage=usage_in(whole.usage))
    return RelayBody(head=head, data=data, text=whole.text or whole.said, ending=ending)
