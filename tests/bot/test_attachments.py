"""Fetching what people attach: only from Discord, and never more than allowed."""

from __future__ import annotations

import asyncio
import gc
import gzip
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import discord
import pytest
from aiohttp import web

from companion.bot import attachments as module
from companion.bot.attachments import Attachments
from companion.domain.errors import FileTooLarge, FileUnreadable
from companion.domain.file_errors import FilesBusy, FilesTooLarge, TooManyFiles

LIMIT = 100_000


class Host:
    """A server that keeps files, and counts who came for them."""

    def __init__(self) -> None:
        self.origin = ""
        self.visits: list[str] = []

    def attachment(self, path: str, *, size: int = 10, origin: str | None = None) -> Any:
        data = {
            "id": "1",
            "filename": path,
            "size": size,
            "url": f"{self.origin if origin is None else origin}/{path}",
            "proxy_url": "",
        }
        return discord.Attachment(
            data=cast("Any", data), state=cast("Any", SimpleNamespace(http=None))
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.visits.append(name)
        match name:
            case "redirect":
                raise web.HTTPFound(f"{self.origin}/small")
            case "bomb":
                packed = gzip.compress(bytes(50 * LIMIT))
                return web.Response(body=packed, headers={"Content-Encoding": "gzip"})
            case "gone":
                raise web.HTTPNotFound
            case "half":
                return web.Response(body=bytes(LIMIT // 2 + 1))
            case "slow":
                answer = web.StreamResponse()
                await answer.prepare(request)
                for _ in range(100):
                    await answer.write(b"x")
                    await asyncio.sleep(0.05)
                return answer
            case _:
                return web.Response(body=b"contents")


@pytest.fixture
async def host() -> AsyncGenerator[Host]:
    host = Host()
    app = web.Application()
    app.router.add_get("/{name}", host.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield host
    await runner.cleanup()


@pytest.fixture
async def attachments(host: Host) -> AsyncGenerator[Attachments]:
    async with aiohttp.ClientSession() as session:
        yield Attachments(
            session, api_url=f"{host.origin}/api", max_bytes=LIMIT, max_total_bytes=LIMIT
        )


async def test_files_come_in_order(attachments: Attachments, host: Host) -> None:
    files = await attachments.read_all([host.attachment("a.txt"), host.attachment("b.txt")])
    assert [(file.name, file.data) for file in files] == [
        ("a.txt", b"contents"),
        ("b.txt", b"contents"),
    ]


async def test_no_attachment_is_no_file(attachments: Attachments) -> None:
    assert await attachments.read(None) == ()


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:1",
        "http://169.254.169.254",
        "http://cdn.discordapp.com",
        "https://cdn.discordapp.com:8443",
        "https://cdn.discordapp.com@evil.example",
        "https://cdn.discordapp.com.evil.example",
        "https://evil.example\\@cdn.discordapp.com",
        "https://evil.example/cdn.discordapp.com",
        "file:///etc",
        "",
    ],
)
async def test_no_other_address_is_asked(
    attachments: Attachments, host: Host, origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object, **__: object) -> None:
        raise AssertionError("a foreign address was asked")

    monkeypatch.setattr(aiohttp.ClientSession, "get", asked)
    with pytest.raises(FileUnreadable):
        await attachments.read(host.attachment("a.txt", origin=origin))


async def test_discords_own_address_is_asked(
    attachments: Attachments, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(_session: object, url: str, **options: object) -> None:
        assert options == {"allow_redirects": False}
        asked.append(url)
        raise aiohttp.ClientConnectionError

    monkeypatch.setattr(aiohttp.ClientSession, "get", refuse)
    with pytest.raises(FileUnreadable):
        await attachments.read(host.attachment("a.txt", origin="https://cdn.discordapp.com"))
    assert asked == ["https://cdn.discordapp.com/a.txt"]


async def test_redirects_are_not_followed(attachments: Attachments, host: Host) -> None:
    with pytest.raises(FileUnreadable):
        await attachments.read(host.attachment("redirect"))
    assert host.visits == ["redirect"]


async def test_a_declared_size_over_the_limit_is_not_fetched(
    attachments: Attachments, host: Host
) -> None:
    with pytest.raises(FileTooLarge) as refused:
        await attachments.read(host.attachment("a.txt", size=LIMIT + 1))
    assert (refused.value.size, refused.value.limit) == (LIMIT + 1, LIMIT)
    assert host.visits == []


async def test_what_unpacks_to_more_than_the_limit_is_cut_off(
    attachments: Attachments, host: Host
) -> None:
    with pytest.raises(FileTooLarge):
        await attachments.read(host.attachment("bomb"))


async def test_files_that_lie_about_their_size_are_counted_together(
    attachments: Attachments, host: Host
) -> None:
    with pytest.raises(FilesTooLarge):
        await attachments.read_all([host.attachment("half"), host.attachment("half")])


async def test_files_too_large_together_are_not_fetched(
    attachments: Attachments, host: Host
) -> None:
    with pytest.raises(FilesTooLarge):
        await attachments.read_all([host.attachment("a", size=LIMIT - 1)] * 2)
    assert host.visits == []


async def test_too_many_files_are_not_fetched(attachments: Attachments, host: Host) -> None:
    with pytest.raises(TooManyFiles):
        await attachments.read_all([host.attachment("a")] * (module.MAX_FILES + 1))
    assert host.visits == []


async def test_a_file_that_is_gone_is_unreadable(attachments: Attachments, host: Host) -> None:
    with pytest.raises(FileUnreadable):
        await attachments.read(host.attachment("gone"))


async def test_a_file_that_trickles_in_is_given_up(
    attachments: Attachments, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FETCH_S", 0.3)
    with pytest.raises(FileUnreadable):
        await attachments.read(host.attachment("slow"))


async def test_memory_for_files_is_given_out_only_once(host: Host) -> None:
    async with aiohttp.ClientSession() as session:
        attachments = Attachments(
            session, api_url=host.origin, most_held_bytes=LIMIT, max_bytes=LIMIT
        )
        held = await attachments.read(host.attachment("half"))
        with pytest.raises(FilesBusy):
            await attachments.read(host.attachment("half"))
        assert host.visits == ["half"]
        del held
        gc.collect()
        assert await attachments.read(host.attachment("half"))


async def test_a_file_that_could_not_be_fetched_takes_no_memory(host: Host) -> None:
    async with aiohttp.ClientSession() as session:
        attachments = Attachments(
            session, api_url=host.origin, most_held_bytes=LIMIT, max_bytes=LIMIT
        )
        for _ in range(3):
            with pytest.raises(FileUnreadable):
                await attachments.read(host.attachment("gone"))
        assert await attachments.read(host.attachment("small"))
