"""`/openai-completion`: a chat that remembers, for any program, one conversation a user."""

from __future__ import annotations

from contextlib import aclosing
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from companion.api.auth import Caller, requires
from companion.api.hanging_up import unless_hung_up
from companion.domain.actor import Door
from companion.domain.chat import ChatRequest, Delta, Failed, Finished
from companion.domain.conversation import Finish
from companion.domain.errors import ContentRefused
from companion.domain.tokens import LONGEST_USER_ID, TokenScope
from companion.services.chat import ChatService
from companion.services.conversations import ConversationsService
from companion.services.request_checks import HOTTEST, PROMPT_LIMIT

PATH: Final = "/openai-completion"
LONGEST_MODEL_ID: Final = 200


def _readable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("only printable characters are allowed")
    return text


ChatCaller = Annotated[Caller, Depends(requires(TokenScope.CHAT))]
UserId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_USER_ID,
        description="Your name for whoever asks. The same one continues its conversation.",
        examples=["ada"],
    ),
    AfterValidator(_readable),
]


class CompletionRequest(BaseModel):
    """What is asked, and by whom."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"user_id": "ada", "prompt": "Why is the sky blue?"}]},
    )

    user_id: UserId
    prompt: Annotated[str, Field(min_length=1, max_length=PROMPT_LIMIT, description="The prompt.")]
    model: Annotated[
        str | None,
        Field(max_length=LONGEST_MODEL_ID, description="Left out: this user's usual model."),
    ] = None
    temperature: Annotated[float | None, Field(ge=0, le=HOTTEST)] = None
    max_tokens: Annotated[int | None, Field(ge=1, le=2**31 - 1)] = None


class Completion(BaseModel):
    """The answer."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "ada", "completion": "Because of the air."}]}
    )

    user_id: str
    completion: str


class Forgotten(BaseModel):
    """What was forgotten."""

    user_id: str
    forgotten: Annotated[int, Field(description="How many questions and answers there were.")]


class PlainError(BaseModel):
    """What went wrong."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"error": "The prompt is empty."}]})

    error: str


_WORDS: Final = {
    400: "Not to be read, or refused by the model.",
    401: "No token, or none that works.",
    403: "Not this token's user_id, or nobody pays.",
    404: "No such model.",
    409: "A request with this Idempotency-Key is being answered.",
    413: "Over 1 MiB.",
    415: "Compressed.",
    422: "A field is wrong.",
    429: "Too many requests; `Retry-After` says when to come back.",
    431: "Too many headers.",
    500: "Our fault.",
    502: "The model provider failed.",
    503: "Restarting or overloaded; `Retry-After` says when to come back.",
    504: "The model provider was too slow.",
}
ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": PlainError, "description": words} for status, words in _WORDS.items()
}


def completion_routes(chat: ChatService, conversations: ConversationsService) -> APIRouter:
    """Return the routes of the chat that remembers."""
    router = APIRouter(tags=["chat that remembers"])

    async def complete(body: CompletionRequest, caller: ChatCaller, request: Request) -> Completion:
        """Answer a prompt; the same `user_id` continues its conversation."""
        speaker = caller.speaking_for(body.user_id)
        asked = ChatRequest(
            actor=speaker.actor,
            place=speaker.place,
            door=Door.HTTP,
            prompt=body.prompt,
            model=body.model,
            temperature=body.temperature,
            max_tokens=body.max_tokens,
        )
        text = await unless_hung_up(request.receive, _answer(chat, asked))
        return Completion(user_id=body.user_id, completion=text)

    async def forget(user_id: Annotated[UserId, Path()], caller: ChatCaller) -> Forgotten:
        """Forget that user's conversation."""
        speaker = caller.speaking_for(user_id)
        turns = await conversations.clear_here(speaker.actor, speaker.place)
        return Forgotten(user_id=user_id, forgotten=turns)

    router.add_api_route(PATH, complete, methods=["POST"], summary="Ask", responses=ERRORS)
    router.add_api_route(
        PATH + "/{user_id:path}", forget, methods=["DELETE"], summary="Forget", responses=ERRORS
    )
    return router


async def _answer(chat: ChatService, asked: ChatRequest) -> str:
    """Return the whole answer; raises the `CompanionError` that prevented or cut it."""
    texts: list[str] = []
    async with aclosing(chat.ask(asked)) as events:
        async for event in events:
            match event:
                case Delta(text=text):
                    texts.append(text)
                case Failed(error=error):
                    raise error
                case Finished(cause=cause, finish=finish):
                    if cause is not None:
                        raise cause
                    if finish is Finish.FILTERED and not texts:
                        raise ContentRefused
                case _:
                    pass
    return "".join(texts)
