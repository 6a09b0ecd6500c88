"""The file of a generated ring: private, whole, and never written over."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from companion.db.keyring import KeyRing
from companion.db.sealed import Binding, Purpose
from companion.domain.errors import ConfigurationError

PLACE = Binding(table="t", row_id="1", column="c")


def test_the_first_start_writes_a_private_ring_that_later_starts_read(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    first = KeyRing.load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    sealed = first.seal(Purpose.CONTENT, "text", PLACE)
    assert KeyRing.load_or_create(path).open(Purpose.CONTENT, sealed, PLACE) == "text"
    assert [file.name for file in tmp_path.iterdir()] == ["keyring"]


def test_processes_that_start_at_once_agree_on_one_ring(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(KeyRing.load_or_create, [tmp_path / "keyring"] * 8))
    sealed = rings[0].seal(Purpose.CONTENT, "text", PLACE)
    assert {ring.open(Purpose.CONTENT, sealed, PLACE) for ring in rings} == {"text"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_ring_that_others_can_read_is_refused_with_the_fix(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keyring"
    KeyRing.load_or_create(path)
    path.chmod(mode)
    with pytest.raises(ConfigurationError) as refused:
        KeyRing.load_or_create(path)
    assert refused.value.fix == f"run: chmod 600 {path}"


def test_a_broken_ring_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    path.write_bytes(b"k1:\xff\xfe not a ring")
    path.chmod(0o600)
    with pytest.raises(ConfigurationError):
        KeyRing.load_or_create(path)
    assert path.read_bytes() == b"k1:\xff\xfe not a ring"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        KeyRing.load_or_create(tmp_path / "missing" / "keyring")
    assert str(tmp_path / "missing" / "keyring") in refused.value.problem
