"""OpenAI's routes, for any SDK: `base_url = …/modules/openai`, a Companion token as the key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Security
from starlette.responses import Response

from companion.api.auth import Caller, requires
from companion.api.errors import OPENAI, Problem
from companion.api.routes import openai_former as former
from companion.api.routes.openai_answers import RelayResponse
from companion.api.routes.openai_bodies import ReadForm, model_of, read_form, read_json, text_of
from companion.api.routes.openai_docs import DOCS, TAG
from companion.api.routes.openai_former_calls import FormerCalls
from companion.domain.models import ModelId
from companion.domain.tokens import TokenScope
from companion.ports.relay import Endpoint, Fields, Form
from companion.services.relay import RelayService
from companion.services.relay_record import RelayRequest

ForChat = Annotated[Caller, Security(requires(TokenScope.CHAT))]
ForModels = Annotated[Caller, Security(requires(TokenScope.MODELS))]
ForImages = Annotated[Caller, Security(requires(TokenScope.IMAGES))]
ForAudio = Annotated[Caller, Security(requires(TokenScope.AUDIO))]
_JSON: Final = "application/json"
_NONE: Final = ModelId("")
_ITS_OWN: Final = ModelId("default")
"""In the log, where the provider chose the model."""
_FORMER_HEADERS: Final = dict(former.DEPRECATED)


def openai_routes(relay: RelayService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix=OPENAI, tags=[TAG])
    calls = FormerCalls(relay)
    _add_texts(router, relay, calls)  # first: routes are tried in turn, and most calls are chats
    _add_models(router, calls)
    _add_images(router, relay)
    _add_audio(router, relay, calls)
    return router


def _add_models(router: APIRouter, calls: FormerCalls) -> None:
    async def models(caller: ForModels) -> Response:
        return Response(await calls.models(_listing(caller)), media_type=_JSON)

    async def model(caller: ForModels, model_id: str) -> Response:
        return Response(await one(caller, model_id), media_type=_JSON)

    async def engines(caller: ForModels) -> Response:
        listed = former.engines(await calls.models(_listing(caller)))
        return Response(listed, media_type=_JSON, headers=_FORMER_HEADERS)

    async def engine(caller: ForModels, engine_id: str) -> Response:
        found = former.engine(await one(caller, engine_id))
        return Response(found, media_type=_JSON, headers=_FORMER_HEADERS)

    async def one(caller: Caller, model_id: str) -> bytes:
        found = former.model_in(await calls.models(_listing(caller)), model_id.rstrip("/"))
        if found is None:
            words = "The key that pays has no such model. See the list of models."
            raise Problem(404, words, code="model_not_found", param="model")
        return found

    _add(router, "GET", models, "models")
    _add(router, "GET", model, "models/{model_id:path}")
    _add(router, "GET", engines, "engines")
    _add(router, "GET", engine, "engines/{engine_id:path}")


def _add_texts(router: APIRouter, relay: RelayService, calls: FormerCalls) -> None:
    async def chat(request: Request, caller: ForChat) -> Response:
        return RelayResponse(relay.relay(_of_json(caller, Endpoint.CHAT, await read_json(request))))

    async def completion(request: Request, caller: ForChat) -> Response:
        asked = _of_json(caller, Endpoint.COMPLETIONS, await read_json(request))
        return RelayResponse(calls.completion(asked), extra=former.DEPRECATED)

    async def edit(request: Request, caller: ForChat) -> Response:
        fields = await read_json(request)
        model = model_of(fields, relay.default_model)
        if model in former.FORMER_EDITORS:
            model = relay.default_model
        asked = _of_json(caller, Endpoint.CHAT, fields, model)
        instruction, text = text_of(fields, "instruction"), text_of(fields, "input", "")
        return RelayResponse(calls.edit(asked, instruction, text), extra=former.DEPRECATED)

    _add(router, "POST", chat, "chat/completions")
    _add(router, "POST", completion, "completion", "completions")
    _add(router, "POST", edit, "edits")


def _add_images(router: APIRouter, relay: RelayService) -> None:
    async def generation(request: Request, caller: ForImages) -> Response:
        fields = await read_json(request)
        model = model_of(fields, _ITS_OWN)
        return RelayResponse(relay.relay(_of_json(caller, Endpoint.IMAGES, fields, model)))

    async def edit(request: Request, caller: ForImages) -> Response:
        read = await read_form(request, "image", _ITS_OWN)
        asked = _of_form(caller, Endpoint.IMAGE_EDITS, read)
        return RelayResponse(relay.relay(asked), close=read.data.close)

    _add(router, "POST", generation, "images/generations")
    _add(router, "POST", edit, "images/edits")


def _add_audio(router: APIRouter, relay: RelayService, calls: FormerCalls) -> None:
    async def transcription(request: Request, caller: ForAudio) -> Response:
        read = await read_form(request, "file")
        asked = _of_form(caller, Endpoint.TRANSCRIPTIONS, read)
        return RelayResponse(relay.relay(asked), close=read.data.close)

    async def translation(request: Request, caller: ForAudio) -> Response:
        read = await read_form(request, "file")
        asked = _of_form(caller, Endpoint.TRANSLATIONS, read)
        response_format = read.value("response_format") or "json"
        return RelayResponse(calls.translation(asked, response_format), close=read.data.close)

    _add(router, "POST", transcription, "audio/transcription", "audio/transcriptions")
    _add(router, "POST", translation, "audio/translation", "audio/translations")


def _add(router: APIRouter, method: str, route: Callable[..., Any], *names: str) -> None:
    """Add a route under all its names, with and without a slash at the end."""
    for name in names:
        shown = name == names[0]
        takes_slash = name.endswith(":path}")  # as a part of the id
        paths = [f"/{name}"] if takes_slash else [f"/{name}", f"/{name}/"]
        for path in paths:
            router.add_api_route(
                path,
                route,
                methods=[method],
                response_class=Response,
                include_in_schema=shown and path == paths[-1],
                **(DOCS[names[0]] if shown else {}),
            )


def _listing(caller: Caller) -> RelayRequest:
    return RelayRequest(
        actor=caller.actor, place=caller.place, endpoint=Endpoint.MODELS, model=_NONE
    )


def _of_json(
    caller: Caller, endpoint: Endpoint, fields: dict[str, bytes], model: ModelId | None = None
) -> RelayRequest:
    body: Fields = fields
    return RelayRequest(
        actor=caller.actor,
        place=caller.place,
        endpoint=endpoint,
        model=model or model_of(fields),
        body=body,
        streams=fields.get("stream") == b"true",
    )


def _of_form(caller: Caller, endpoint: Endpoint, read: ReadForm) -> RelayRequest:
    body: Form = read.form
    return RelayRequest(
        actor=caller.actor,
        place=caller.place,
        endpoint=endpoint,
        model=read.model,
        body=body,
        streams=read.streams,
    )
