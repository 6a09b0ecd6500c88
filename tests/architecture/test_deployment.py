"""What is shipped: the wheel, the image's steps, the compose file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.architecture.tree import ROOT

SECRETS = {"DISCORD_TOKEN": "x", "POSTGRES_PASSWORD": "x", "COMPANION_KEYRING": "x"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    return set(zipfile.ZipFile(built).namelist())


def test_wheel_ships_the_migrations(wheel: set[str]) -> None:
    at_home = {f"companion/{p.relative_to(ROOT)}" for p in (ROOT / "migrations").rglob("*.py")}
    assert at_home
    assert at_home <= wheel


def test_wheel_ships_the_page(wheel: set[str]) -> None:
    page = ROOT / "src" / "companion" / "playground" / "page"
    at_home = {
        p.relative_to(ROOT / "src").as_posix()
        for p in page.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    assert "companion/playground/page/index.html" in at_home
    assert at_home <= wheel


def test_image_copies_what_exists() -> None:
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE
    )
    sources = [name for line in copied for name in line.split()]
    assert sources
    assert [name for name in sources if not (ROOT / name).exists()] == []


def test_image_is_not_root_and_has_a_health_check() -> None:
    text = (ROOT / "Dockerfile").read_text()
    final = text[text.rindex("\nFROM ") :]
    assert re.search(r"^USER companion$", final, flags=re.MULTILINE)
    assert "/livez" in final


def test_compose_file_is_valid() -> None:
    compose = shutil.which("docker-compose")
    if compose is None:
        pytest.skip("docker-compose is not installed: the compose file was NOT checked")
    done = subprocess.run(
        [compose, "-f", str(ROOT / "docker-compose.yml"), "config", "--quiet"],
        env=os.environ | SECRETS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_compose_file_keeps_to_substitutions_that_every_compose_knows() -> None:
    """`:-` and `:?`: the older program, which Debian has, refuses all others."""
    text = (ROOT / "docker-compose.yml").read_text()
    known = re.compile(r"\$\{[A-Z_]+(:[-?][^}]*)?\}")
    assert known.sub("", text).count("${") == 0


def test_compose_file_refuses_to_start_without_its_secrets() -> None:
    """Each secret is required with a sentence that says what to do; none has a default."""
    text = (ROOT / "docker-compose.yml").read_text()
    for name in SECRETS:
        uses = re.findall(r"\$\{" + name + r"(:.)", text)
        assert uses, name
        assert set(uses) == {":?"}, name
