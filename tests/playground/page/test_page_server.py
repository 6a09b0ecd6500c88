"""Who may talk to the page's server, and what it answers."""

import io
from collections.abc import AsyncIterator

import aiohttp
import pytest

from companion.playground.local_discord import LocalDiscord
from companion.playground.state import Upload
from companion.playground.web import add_page


@pytest.fixture
async def discord() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord.start(routes=add_page) as running:
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def same_site(discord: LocalDiscord) -> dict[str, str]:
    return {"Origin": discord.origin, "X-Playground": "1"}


async def test_page_allows_only_its_own_scripts(
    discord: LocalDiscord, browser: aiohttp.ClientSession
):
    async with browser.get(f"{discord.origin}/") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert answer.status == 200
        assert "default-src 'none'; script-src 'self'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "http" not in (await answer.text()).replace("http-equiv", "")


async def test_unchanged_file_is_not_sent_again(
    discord: LocalDiscord, browser: aiohttp.ClientSession
):
    url = f"{discord.origin}/page/js/main.js"
    async with browser.get(url) as first:
        tag = first.headers["ETag"]
        assert first.content_type == "text/javascript"
    async with browser.get(url, headers={"If-None-Match": tag}) as again:
        assert again.status == 304


@pytest.mark.parametrize("path", ["../web.py", "%2e%2e/web.py", "js/../../web.py", "nothing.js"])
async def test_only_files_of_the_page_are_served(
    discord: LocalDiscord, browser: aiohttp.ClientSession, path: str
):
    async with browser.get(f"{discord.origin}/page/{path}") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("path", ["/", "/page/js/main.js", "/play"])
async def test_name_that_a_site_could_own_is_refused(
    discord: LocalDiscord, browser: aiohttp.ClientSession, path: str
):
    port = discord.origin.rpartition(":")[2]
    headers = {"Host": f"rebound.example:{port}", "Origin": f"http://rebound.example:{port}"}
    async with browser.get(discord.origin + path, headers=headers) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "192.168.1.20"])
async def test_addresses_and_localhost_are_fine(
    discord: LocalDiscord, browser: aiohttp.ClientSession, host: str
):
    async with browser.get(discord.origin, headers={"Host": f"{host}:8770"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None, "http://127.0.0.1:1"])
async def test_websocket_is_for_the_page_alone(
    discord: LocalDiscord, browser: aiohttp.ClientSession, origin: str | None
):
    headers = {} if origin is None else {"Origin": origin}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.ws_connect(f"{discord.origin}/play", headers=headers)
    assert refused.value.status == 403


async def test_file_needs_the_page_and_a_size(
    discord: LocalDiscord, browser: aiohttp.ClientSession
):
    url = f"{discord.origin}/play/files?name=a.txt"
    async with browser.post(url, data=b"hi", headers={"Origin": "http://evil.example"}) as answer:
        assert answer.status == 403
    async with browser.post(url, data=b"hi", headers={"Origin": discord.origin}) as answer:
        assert answer.status == 403
    async with browser.post(url, data=b"hi", headers=same_site(discord)) as answer:
        assert answer.status == 200
    too_large = io.BytesIO(bytes(10 * 1024 * 1024 + 1))
    async with browser.post(url, data=too_large, headers=same_site(discord)) as answer:
        assert answer.status == 413
        assert await answer.json() == {"error": "The file is too large: 10 MB is the most."}


async def test_uploaded_page_cannot_run(discord: LocalDiscord, browser: aiohttp.ClientSession):
    upload = Upload(filename="a.html", content=b"<script>1</script>", content_type="text/html")
    message = await discord.say("Ada", "general", "look", attachments=[upload])
    async with browser.get(message.attachments[0].url) as answer:
        assert answer.status == 200
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_events_are_numbered_and_requests_answered(
    discord: LocalDiscord, browser: aiohttp.ClientSession
):
    grace = discord.world.person("Grace")
    url = f"{discord.origin}/play"
    async with browser.ws_connect(url, headers=same_site(discord)) as socket:
        await socket.send_json({"op": "hello", "person": str(grace.id)})
        ready = await socket.receive_json()
        assert (ready["seq"], ready["type"]) == (1, "ready")
        assert ready["data"]["me"]["name"] == "Grace"
        general = next(p["id"] for p in ready["data"]["places"] if p["name"] == "general")
        await socket.send_json({"op": "say", "id": 7, "data": {"channel": general, "text": "hi"}})
        seen = [await socket.receive_json(), await socket.receive_json()]
        assert [m["seq"] for m in seen if "seq" in m] == [2]
        assert [m["error"] for m in seen if m.get("re") == 7] == [None]


@pytest.mark.parametrize(
    ("op", "data", "words"),
    [
        ("say", {"channel": "1", "text": "x"}, "This channel is gone, or not for you."),
        ("say", {"channel": "GENERAL"}, "Cannot send an empty message."),
        ("say", {"channel": "GENERAL", "text": "x" * 2001}, "at most 2000 characters"),
        ("say", {"channel": "GENERAL", "files": ["gone"]}, "The attached file is gone"),
        ("say", {"text": "x"}, "The page sent something unreadable."),
        ("invoke", {"channel": "GENERAL", "name": "ask"}, "no command"),
        ("component", {"channel": "GENERAL", "message": "1", "custom_id": "x"}, "is gone"),
        ("submit", {"interaction": "1", "values": {}}, "too old"),
        ("fly", {}, "cannot do that"),
    ],
)
async def test_request_that_cannot_be_met_is_refused_in_words(
    discord: LocalDiscord,
    browser: aiohttp.ClientSession,
    op: str,
    data: dict[str, object],
    words: str,
):
    general = str(discord.world.channel("general").id)
    filled = {key: general if value == "GENERAL" else value for key, value in data.items()}
    async with browser.ws_connect(f"{discord.origin}/play", headers=same_site(discord)) as socket:
        await socket.send_json({"op": "hello"})
        await socket.receive_json()
        await socket.send_json({"op": op, "id": 1, "data": filled})
        answer = await socket.receive_json()
        assert words in answer["error"]


async def test_nobody_changes_the_message_of_another(
    discord: LocalDiscord, browser: aiohttp.ClientSession
):
    message = await discord.say("Ada", "general", "mine")
    grace = str(discord.world.person("Grace").id)
    where = {"channel": str(message.channel_id), "message": str(message.id)}
    async with browser.ws_connect(f"{discord.origin}/play", headers=same_site(discord)) as socket:
        await socket.send_json({"op": "hello", "person": grace})
        await socket.receive_json()
        for op in ("edit", "delete"):
            await socket.send_json({"op": op, "id": 1, "data": {**where, "text": "yours"}})
            while "re" not in (answer := await socket.receive_json()):
                """Events come in between."""
            assert answer["error"] == "This is not yours to change."
    assert message.content == "mine"


async def test_unreadable_message_ends_the_connection(
    discord: LocalDiscord, browser: aiohttp.ClientSession
):
    async with browser.ws_connect(f"{discord.origin}/play", headers=same_site(discord)) as socket:
        await socket.send_str("{not json")
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
