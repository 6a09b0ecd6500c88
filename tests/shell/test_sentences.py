from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from companion.domain.errors import (
    ConfigurationError,
    Draining,
    StorageUnavailable,
    Tampered,
    WrongKeyRing,
)
from companion.domain.gateway_errors import ConnectionsUsedUp
from companion.llm.local_model import LocalModelUnavailable
from companion.shell.sentences import Exit, explain


@pytest.mark.parametrize(
    ("error", "start", "code"),
    [
        (
            ConfigurationError(variable="A_B", problem="is not set", fix="set it"),
            "A_B is not set: set it.",
            2,
        ),
        (
            ConfigurationError(variable="A_B", problem="Discord refuses it", fix="renew it"),
            "A_B: Discord refuses it: renew it.",
            2,
        ),
        (WrongKeyRing(), "COMPANION_KEYRING does not open", 2),
        (Tampered(), "COMPANION_KEYRING does not open", 2),
        (StorageUnavailable(reason="unreachable"), "The database (DATABASE_URL) does not", 3),
        (StorageUnavailable(reason="odd"), "The database (DATABASE_URL) cannot be used (odd)", 3),
        (LocalModelUnavailable(reason="no_download"), "The local model cannot be downloaded", 3),
        (ConnectionError("Discord cannot be reached"), "Discord cannot be reached: check", 3),
        (ConnectionsUsedUp(left=40, reset_s=7_000), "This bot has connected to Discord so", 3),
        (Draining(), "That did not work (draining)", 1),
    ],
)
def test_error_becomes_a_sentence_and_a_code(error: Exception, start: str, code: int) -> None:
    explained = explain(error)
    assert explained is not None
    words, found = explained
    assert words.startswith(start)
    assert words.endswith(".")
    assert found == code


def test_every_reason_of_the_local_model_has_words() -> None:
    for reason in get_args(get_type_hints(LocalModelUnavailable)["reason"]):
        explained = explain(LocalModelUnavailable(reason=reason))
        assert explained is not None
        assert explained[1] is Exit.UNREACHABLE


@pytest.mark.parametrize("surprise", [KeyError("x"), BrokenPipeError()])
def test_surprises_stay_surprises(surprise: Exception) -> None:
    assert explain(surprise) is None
