"""The scripted provider's routes besides chat: text completions, pictures, speech."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import BodyPartReader, web

from tests.support.openai_openapi import problems_of_request
from tests.support.provider_script import Behaviour, Status

if TYPE_CHECKING:
    from tests.support.scripted_provider import RecordedRequest

USAGE: Final = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
PICTURE_USAGE: Final = {"input_tokens": 13, "output_tokens": 1056, "total_tokens": 1069}
ONLY_CHATS: Final = Status(status=404, param="model", message="This is a chat model")
UNKNOWN_PATH: Final = Status(status=404, message="Unknown request URL")
PIXEL: Final = "aVZCT1J3MEtHZ28="


class ScriptedRoutes:
    """Answers them; `instead` holds what a path (its end) does instead."""

    def __init__(self, *, validate: bool) -> None:
        self.instead: dict[str, Behaviour] = {}
        self.violations: list[str] = []
        self.validate = validate

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1/completions", self._completions)
        router.add_post("/v1/images/generations", self._generations)
        router.add_post("/v1/images/edits", self._image_edits)
        router.add_post("/v1/audio/translations", self._translations)

    def record(self, request: web.Request) -> RecordedRequest:
        raise NotImplementedError

    async def behave(
        self, request: web.Request, record: RecordedRequest, behaviour: Behaviour
    ) -> web.StreamResponse:
        raise NotImplementedError

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        record = await self._recorded(request, "CreateCompletionRequest")
        model = str(record.body["model"])
        if "instruct" not in model:
            return await self.behave(request, record, ONLY_CHATS)
        choice: dict[str, Any] = {
            "text": "Hello.",
            "index": 0,
            "logprobs": None,
            "finish_reason": "stop",
        }
        head: dict[str, Any] = {
            "id": "cmpl-1",
            "object": "text_completion",
            "created": 1,
            "model": model,
        }
        if not record.body.get("stream"):
            return web.json_response(head | {"choices": [choice], "usage": USAGE})
        events: list[dict[str, Any]] = [
            head | {"choices": [choice]},
            head | {"choices": [], "usage": USAGE},
        ]
        return await _streamed(request, events)

    async def _generations(self, request: web.Request) -> web.StreamResponse:
        record = await self._recorded(request, "CreateImageRequest")
        if (instead := self.instead.get("images/generations")) is not None:
            return await self.behave(request, record, instead)
        if record.body.get("stream"):
            event = {"type": "image_generation.completed", "b64_json": PIXEL}
            return await _streamed(request, [event | {"usage": PICTURE_USAGE}], done=False)
        return web.json_response(_pictures())

    async def _image_edits(self, request: web.Request) -> web.StreamResponse:
        await self._recorded(request, "CreateImageEditRequest")
        return web.json_response(_pictures())

    async def _translations(self, request: web.Request) -> web.StreamResponse:
        record = await self._recorded(request, "CreateTranslationRequest")
        if (instead := self.instead.get("audio/translations")) is not None:
            return await self.behave(request, record, instead)
        return web.json_response({"text": "Words in English."})

    async def _recorded(self, request: web.Request, schema: str) -> RecordedRequest:
        record = self.record(request)
        if request.content_type == "multipart/form-data":
            await read_parts(request, record)
            return record
        record.body = msgspec.json.decode(await request.read(), type=dict[str, Any])
        if self.validate:
            self.violations.extend(problems_of_request(schema, record.body))
        return record


async def read_parts(request: web.Request, record: RecordedRequest) -> None:
    """Read a multipart body: texts as they are, of files their bytes."""
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        value = bytes(await part.read())
        record.body[str(part.name)] = value if part.filename else value.decode()
        if part.filename:
            record.body["filename"] = part.filename


async def _streamed(
    request: web.Request, events: list[dict[str, Any]], *, done: bool = True
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for event in events:
        await response.write(f"data: {json.dumps(event)}\n\n".encode())
    if done:
        await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def _pictures() -> dict[str, Any]:
    return {"created": 1, "data": [{"b64_json": PIXEL}], "usage": PICTURE_USAGE}
