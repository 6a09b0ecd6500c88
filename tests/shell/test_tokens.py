"""`companion tokens` as processes, and the server that honours them."""

from __future__ import annotations

import re

import aiohttp
import pytest

from tests.shell.processes import run, running

TOKEN = re.compile(r"cmp_[0-9a-f]{32}_[\w-]{43}")


@pytest.mark.usefixtures("migrated_data")
async def test_a_token_is_printed_once_and_listed_without_its_secret() -> None:
    made = await run("tokens", "create", "backend", "--user", "ada", "--expires", "90d")
    assert made.code == 0
    assert TOKEN.fullmatch(made.out.strip())
    assert "speaks for ada, for everything" in made.err
    listed = await run("tokens", "list")
    assert "backend" in listed.out
    assert "speaks for ada" in listed.out
    secret = made.out.strip().split("_", 2)[2]
    assert secret not in listed.out + made.err
    token_id = made.out.split("_")[1]
    assert (await run("tokens", "revoke", token_id)).code == 0
    assert (await run("tokens", "revoke", token_id)).code == 1
    assert "revoked" in (await run("tokens", "list")).out


@pytest.mark.usefixtures("migrated_data")
@pytest.mark.parametrize(
    "arguments",
    [
        ["create", "x" * 81],
        ["create", "backend", "--expires", "soon"],
        ["create", "backend", "--scope", "everything"],
        ["create", "backend", "--user", "token:1"],
        ["revoke", "backend"],
    ],
)
async def test_what_cannot_be_is_one_sentence_and_2(arguments: list[str]) -> None:
    ended = await run("tokens", *arguments)
    assert ended.code == 2
    assert ended.sentence


async def test_an_open_host_needs_a_token_first() -> None:
    opened = {"COMPANION_HTTP_HOST": "0.0.0.0", "COMPANION_HTTP_PORT": "0"}  # noqa: S104
    refused = await run("run", "--no-discord", **opened)
    assert refused.code == 2
    assert "companion tokens create" in refused.sentence
    await run("tokens", "create", "backend")
    async with running("run", "--no-discord", **opened) as command:
        url = str((await command.event("listening"))["url"])
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{url.rpartition(':')[2]}/livez") as answer,
        ):
            assert answer.status == 200


@pytest.mark.usefixtures("migrated_data")
async def test_http_alone_serves_programs() -> None:
    made = await run("tokens", "create", "backend", "--act-as")
    async with (
        running("run", "--no-discord", COMPANION_HTTP_PORT="0") as command,
        aiohttp.ClientSession() as http,
    ):
        headers = {"Authorization": f"Bearer {made.out.strip()}"}
        body = {"user_id": "ada", "prompt": "Why?"}
        url = f"{(await command.event('listening'))['url']}/openai-completion"
        async with http.post(url, json=body, headers=headers) as answer:
            assert answer.status == 403
            assert "provider key" in (await answer.json())["error"]
