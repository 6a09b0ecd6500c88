"""What the official SDK does not try: hostile bodies, hang-ups, former routes, raw streams."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import aiohttp
import pytest

from companion.api.routes.openai_bodies import OURS
from tests.api.openai.site import Site, events_of
from tests.support.provider_script import Answer, Fault, Reset, Silence, Status
from tests.support.waiting import until
from tests.support.wiring import MODEL, OPERATOR_KEY

CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "Why?"}]}


async def error_of(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    body = await answer.json()
    assert body.keys() == {"error"}
    return body["error"]


@pytest.mark.parametrize("path", ["/chat/completions", "/chat/completions/"])
async def test_a_slash_at_the_end_makes_no_difference(site: Site, path: str) -> None:
    async with site.post(path, json=CHAT, allow_redirects=False) as answer:
        assert answer.status == 200
        assert (await answer.json())["object"] == "chat.completion"


async def test_values_go_on_byte_for_byte(site: Site) -> None:
    site.provider.validate = False
    body = b'{"model":"gpt-6-luna","messages":[],"unheard_of":[1.10,{"a" : null}]}'
    headers = {"Content-Type": "application/json"}
    async with site.post("/chat/completions", data=body, headers=headers) as answer:
        assert answer.status == 200
    assert site.provider.chats[0].body["unheard_of"] == [1.1, {"a": None}]


@pytest.mark.parametrize("field", sorted(OURS))
async def test_who_pays_and_where_it_goes_is_not_the_clients_to_say(site: Site, field: str) -> None:
    async with site.post("/chat/completions", json={**CHAT, field: "x"}) as answer:
        assert answer.status == 400
        error = await error_of(answer)
    assert (error["param"], error["code"]) == (field, "unsupported_parameter")
    assert site.provider.requests == []


async def test_headers_of_the_client_stay_here(site: Site) -> None:
    headers = {"OpenAI-Organization": "org-1", "X-Evil": "1", "Cookie": "a=b"}
    async with site.post("/chat/completions", json=CHAT, headers=headers) as answer:
        assert answer.status == 200
    sent = site.provider.chats[0]
    assert not {"OpenAI-Organization", "X-Evil", "Cookie"} & set(sent.headers)
    assert sent.key == OPERATOR_KEY
    assert site.token not in str(dict(sent.headers))


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'"x"', b"\xff", b'{"a":' * 100_000, b'{"model": 7}', b"[" * 100_000],
    ids=["empty", "list", "half", "text", "no UTF-8", "deep objects", "model", "deep lists"],
)
async def test_a_body_that_is_none_is_the_clients_mistake(site: Site, body: bytes) -> None:
    async with site.post("/chat/completions", data=body) as answer:
        assert answer.status == 400
        assert (await error_of(answer))["type"] == "invalid_request_error"
    assert site.provider.requests == []


async def test_a_stream_ends_with_its_mark_and_hides_what_was_not_asked_for(site: Site) -> None:
    async with site.post("/chat/completions", json={**CHAT, "stream": True}) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["X-Request-ID"] == "req_scripted"
        events = await events_of(answer)
    assert events[-1] == "[DONE]"
    assert all(json.loads(event)["choices"] for event in events[:-1])


@pytest.mark.parametrize(
    "fault",
    [Fault.EOF, Fault.RESET, Fault.BAD_JSON, Fault.STALL, Fault.PINGS, Fault.ERROR_EVENT],
)
async def test_a_cut_stream_says_so_and_is_logged_as_cut(site: Site, fault: Fault) -> None:
    site.provider.script(Answer(fault=fault, fault_after=3))
    async with site.post("/chat/completions", json={**CHAT, "stream": True}) as answer:
        events = await events_of(answer)
    assert "[DONE]" not in events
    assert json.loads(events[-1])["error"]["message"] == "The answer stopped early."
    assert "UPSTREAM TEXT" not in events[-1]
    (row,) = await site.rows()
    assert row["status"] == "cut"
    assert row["usage_estimated"]


async def test_a_client_that_hangs_up_ends_it_upstream(site: Site) -> None:
    site.provider.script(Answer(tokens_per_s=5, text="word " * 99))
    async with site.post("/chat/completions", json={**CHAT, "stream": True}) as answer:
        await answer.content.readany()
    await until(lambda: site.provider.chats[0].hung_up_at, within_s=2.0)
    await until(lambda: site.services.relay.running == 0, within_s=2.0)
    (row,) = await site.rows()
    assert (row["status"], row["error_code"]) == ("cut", "client_gone")
    assert row["completion_tokens"] > 0


async def test_a_client_that_hangs_up_while_waiting_ends_it_upstream(site: Site) -> None:
    site.provider.script(Silence())
    asking = asyncio.create_task(site.post("/chat/completions", json=CHAT).__aenter__())
    await until(lambda: site.provider.chats, within_s=3.0)
    asking.cancel()
    await until(lambda: site.provider.chats[0].hung_up_at, within_s=2.0)
    await until(lambda: site.services.relay.running == 0, within_s=2.0)
    (row,) = await site.rows()
    assert (row["status"], row["error_code"]) == ("cut", "client_gone")


async def test_a_broken_connection_is_tried_again_and_each_try_logged(site: Site) -> None:
    site.provider.script(Reset(), Status(status=500))
    async with site.post("/chat/completions", json=CHAT) as answer:
        assert answer.status == 200
    assert [row["status"] for row in await site.rows()] == ["failed", "failed", "ok"]


async def test_a_silent_provider_is_a_time_out(site: Site) -> None:
    site.provider.default = Silence()
    async with site.post("/chat/completions", json={**CHAT, "stream": True}) as answer:
        assert answer.status == 504


async def test_a_field_of_ours_that_is_refused_is_left_out(site: Site) -> None:
    site.provider.refuse("store", "stream_options")
    for _ in range(2):
        async with site.post("/chat/completions", json={**CHAT, "stream": True}) as answer:
            assert (await events_of(answer))[-1] == "[DONE]"
    assert len(site.provider.chats) == 4
    assert (await site.rows())[-1]["usage_estimated"]


async def test_former_engines_are_made_of_models(site: Site) -> None:
    async with site.get("/engines/") as answer:
        assert answer.headers["Deprecation"].startswith("@")
        listed = await answer.json()
    async with site.get("/engines/gpt-6-luna/") as answer:
        one = await answer.json()
    assert listed["data"][0] == one
    assert (one["object"], one["ready"], one["owner"]) == ("engine", True, "openai")
    async with site.get("/engines/davinci") as answer:
        assert answer.status == 404


async def test_former_edits_are_made_by_chat(site: Site) -> None:
    site.provider.default = Answer(text="Hello, world!")
    edit = {"model": "text-davinci-edit-001", "instruction": "Fix it", "input": "helo wrld"}
    async with site.post("/edits/", json=edit) as answer:
        assert "Deprecation" in answer.headers
        edited = await answer.json()
    assert edited["object"] == "edit"
    assert edited["choices"] == [{"text": "Hello, world!", "index": 0}]
    assert edited["usage"]["total_tokens"] > 0
    assert site.provider.chats[0].body["model"] == MODEL
    assert "helo wrld" in site.provider.chats[0].body["messages"][1]["content"]


@pytest.mark.parametrize(
    ("name", "filename", "status"),
    [("x", "a.wav", 200), ("x", "3\u202fPM.wav", 200), ("\x1d", "a.wav", 400), ("x", "\x1d", 400)],
)
async def test_control_characters_in_names_of_a_form_are_refused(
    site: Site, name: str, filename: str, status: int
) -> None:
    parts = (
        ("model", "", "gpt-transcribe"),
        (name, "", "1"),
        ("file", f'; filename="{filename}"', "sound"),
    )
    head = '--b\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
    body = "".join(head.format(*part) for part in parts) + "--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    async with site.post("/audio/transcriptions", data=body.encode(), headers=headers) as answer:
        assert answer.status == status
    assert len(site.provider.transcriptions) == (status == 200)


async def test_an_upload_without_its_file_is_refused(site: Site) -> None:
    form = aiohttp.FormData({"model": "gpt-transcribe", "file": "no file"})
    form.add_field("x", b"x", filename="x.bin")
    async with site.post("/audio/transcription/", data=form) as answer:
        assert answer.status == 400
        assert (await error_of(answer))["param"] == "file"


async def test_too_large_an_upload_is_refused_before_anything_is_sent(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("companion.api.routes.openai_bodies.LARGEST_FORM", 3_000_000)
    form = aiohttp.FormData({"model": "gpt-transcribe"})
    form.add_field("file", io.BytesIO(bytes(4_000_000)), filename="long.mp3")
    async with site.post("/audio/transcriptions", data=form) as answer:
        assert answer.status == 413
    assert site.provider.requests == []


async def test_contents_are_sealed_in_the_log(site: Site) -> None:
    async with site.post("/chat/completions", json=CHAT) as answer:
        assert answer.status == 200
    (row,) = await site.rows()
    assert row["request"]
    assert row["response"]
    everything = site.database.read_bytes()
    wal = site.database.with_name(site.database.name + "-wal")
    everything += wal.read_bytes() if wal.exists() else b""
    assert b"Hello from the scripted" not in everything
    assert b"Why?" not in everything
