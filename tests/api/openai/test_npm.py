"""The official package for JavaScript, where Node is there and the package can be had."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.openai.site import Site
from tests.support.provider_script import RATE_LIMITED, Answer, Status

INSTALL_S = 60
SCRIPT = """
import OpenAI from "openai";
const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const ask = { model: "gpt-6-luna", messages: [{ role: "user", content: "Why?" }] };
const whole = await client.chat.completions.create(ask);
let streamed = "";
for await (const chunk of await client.chat.completions.create({ ...ask, stream: true }))
  streamed += chunk.choices[0].delta.content ?? "";
const models = [];
for await (const model of client.models.list()) models.push(model.id);
const limited = await client.chat.completions.create(ask).catch((error) => error);
console.log(JSON.stringify({
  whole: whole.choices[0].message.content, streamed, models,
  limited: limited instanceof OpenAI.RateLimitError, wait: limited.headers.get("retry-after"),
}));
"""


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which Node finds the package."""
    npm, folder = shutil.which("npm"), tmp_path_factory.mktemp("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node is not installed: the JavaScript SDK was NOT tried")
    try:
        subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "openai"],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=INSTALL_S,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("npm can't fetch the package here: the JavaScript SDK was NOT tried")
    (folder / "ask.mjs").write_text(SCRIPT)
    return folder


async def test_the_javascript_sdk_just_works(package: Path, site: Site) -> None:
    limited = Status(status=429, code=RATE_LIMITED.code, headers={"retry-after": "17"})
    site.provider.script(Answer(), Answer(), limited)
    process = await asyncio.create_subprocess_exec(
        *("node", "ask.mjs", f"{site.origin}/modules/openai", site.token),
        cwd=package,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, err.decode()
    text = "Hello from the scripted provider."
    assert json.loads(out) == {
        "whole": text,
        "streamed": text,
        "models": site.provider.models,
        "limited": True,
        "wait": "17",
    }
