"""The examples in docs/http.md, run as they stand there."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from asyncio.subprocess import PIPE

import pytest

from tests.api.world import World
from tests.architecture.tree import ROOT
from tests.support.provider_script import Answer

TEXT = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```(sh|python|js)\n(.*?)```", TEXT, flags=re.DOTALL)
COMMANDS = {
    "sh": ("sh", "-c"),
    "python": (sys.executable, "-c"),
    "js": ("node", "--input-type=module", "-e"),
}
SAID = {"-X DELETE": '{"user_id":"ada","forgotten":0}', "POST": "Because of the air."}


@pytest.mark.parametrize(("language", "code"), EXAMPLES)
async def test_example_runs_as_printed(world: World, language: str, code: str) -> None:
    program, *options = COMMANDS[language]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: this example was NOT run")
    world.provider.default = Answer(text="Because of the air.")
    process = await asyncio.create_subprocess_exec(
        *(program, *options, code.replace("http://127.0.0.1:8080", world.origin)),
        stdout=PIPE,
        stderr=PIPE,
        env=os.environ | {"COMPANION_TOKEN": world.act_as},
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    expected = SAID["-X DELETE" if "-X DELETE" in code else "POST"]
    assert expected in out.decode()


def test_there_is_an_example_in_each_language() -> None:
    assert {language for language, _ in EXAMPLES} == COMMANDS.keys()
