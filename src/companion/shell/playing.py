"""`companion playground`: the real app against a local Discord with a page, in one process."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
import webbrowser
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import SecretStr

from companion.bootstrap import open_app
from companion.domain.errors import ConfigurationError
from companion.llm import local_model
from companion.llm.local_model import LocalModelUnavailable
from companion.llm.local_server import open_local_server
from companion.model_source import ModelSource, from_local, from_provider, from_sample
from companion.playground.local_discord import LocalDiscord
from companion.playground.sample_model import MODELS, SampleModel
from companion.playground.web import add_page
from companion.settings import LOOPBACK, Settings
from companion.shell.demo import seed
from companion.shell.fetching import local_model_file
from companion.shell.play_model import PlayModel
from companion.shell.sentences import explain
from companion.shell.starting import loaded_settings
from companion.shell.stopping import Stopping, run_until_stopped
from companion.storage import make_folder

DRAIN_S: Final = 2.0
FOLDER: Final = "playground"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOptions:
    """What the command line asked for."""

    host: str
    port: int
    open_browser: bool
    seed_demo: bool
    model: PlayModel


def play(options: PlayOptions) -> None:
    """Run until a signal comes. Raises what `companion.shell.sentences` explains."""
    settings = loaded_settings(quiet=True)
    _check_address(options)

    async def work(stopping: Stopping) -> None:
        async with AsyncExitStack() as stack:
            await _play(settings, options, stopping, stack)

    run_until_stopped(work)


async def _play(
    settings: Settings, options: PlayOptions, stopping: Stopping, stack: AsyncExitStack
) -> None:
    began = time.monotonic()
    source, banner = await _model(settings, options.model, stack)

    def page(app: web.Application, discord: LocalDiscord) -> None:
        add_page(app, discord, banner=banner)

    discord = await stack.enter_async_context(
        LocalDiscord.start(host=options.host, port=options.port, routes=page)
    )
    own = _own_settings(settings, discord, _folder(settings, stack))
    app = await stack.enter_async_context(open_app(own, source, http=False))
    assert app.door is not None
    greeting = asyncio.create_task(_greet(app.door.ready, discord, banner, options))
    stopping.from_now_on_politely()
    try:
        await app.run(stopping.requested, started_at=began)
    finally:
        greeting.cancel()
        with suppress(asyncio.CancelledError):
            await greeting


async def _greet(
    ready: asyncio.Event, discord: LocalDiscord, banner: str, options: PlayOptions
) -> None:
    await ready.wait()
    url = f"{discord.origin}/"
    print(f"Companion is at {url} · {banner} · Ctrl-C ends it.", flush=True)
    if options.open_browser and _has_a_screen():
        await asyncio.to_thread(webbrowser.open, url)
    if options.seed_demo:
        await seed(discord)


async def _model(
    settings: Settings, wanted: PlayModel, stack: AsyncExitStack
) -> tuple[ModelSource, str]:
    """Return the source of answers, and the words that say which it is."""
    if wanted is PlayModel.AUTO and (settings.openai_api_key or settings.openai_base_url):
        host = urlsplit(settings.base_url).hostname
        return from_provider(settings), f"{settings.default_model} at {host} answers"
    if wanted is PlayModel.LOCAL or (wanted is PlayModel.AUTO and local_model.installed()):
        try:
            return await _local(settings, stack)
        except LocalModelUnavailable as error:
            if wanted is PlayModel.LOCAL:
                raise
            explained = explain(error)
            assert explained is not None
            print(explained[0], "Going on with sample answers.", file=sys.stderr)
    sample = await stack.enter_async_context(SampleModel.start())
    return from_sample(sample.base_url, MODELS[0], settings), "sample answers, no model is asked"


async def _local(settings: Settings, stack: AsyncExitStack) -> tuple[ModelSource, str]:
    file = await local_model_file(settings)
    server = await stack.enter_async_context(open_local_server(file))
    words = f"{server.model} on this machine answers (small and often wrong)"
    return from_local(server, settings), words


def _folder(settings: Settings, stack: AsyncExitStack) -> Path:
    """Make a data folder for this time only.

    The local Discord begins anew at each start. An app that remembered the last one
    would answer to messages that nobody sees, and a key that was tried out would stay.
    """
    home = settings.data_dir / FOLDER
    make_folder(home)
    folder = TemporaryDirectory(dir=home, prefix="session-", ignore_cleanup_errors=True)
    return Path(stack.enter_context(folder))


def _own_settings(settings: Settings, discord: LocalDiscord, folder: Path) -> Settings:
    """Point the app at the local Discord, and away from everything that is in earnest."""
    return settings.model_copy(
        update={
            "discord_token": SecretStr(discord.token),
            "discord_api_url": discord.api_url,
            "data_dir": folder,
            "database_url": None,
            "keyring": None,
            "redis_url": None,
            "shard_count": None,
            "shard_ids": None,
            # here nobody has to apply for it, and plain follow-ups are worth a try
            "message_content": settings.message_content or not _says(settings, "message_content"),
            "drain_seconds": min(settings.drain_seconds, DRAIN_S),
        }
    )


def _says(settings: Settings, name: str) -> bool:
    return name in settings.model_fields_set


def _check_address(options: PlayOptions) -> None:
    """Refuse what cannot be listened on, before a model is fetched and loaded."""
    if ":" in options.host:
        raise ConfigurationError(
            variable="--host",
            problem="is an IPv6 address, which the playground does not speak",
            fix="use 127.0.0.1",
        )
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((options.host, options.port))
    except OSError as error:
        raise ConfigurationError(
            variable="--host --port",
            problem=f"name {options.host}:{options.port}, which cannot be had",
            fix="end the program that listens there, or choose another port (0: any)",
        ) from error
    if options.host not in LOOPBACK:
        print("Whoever reaches this address can use the playground.", file=sys.stderr)


def _has_a_screen() -> bool:
    """Without one, a browser in the terminal would open and take the keyboard."""
    return sys.platform != "linux" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
