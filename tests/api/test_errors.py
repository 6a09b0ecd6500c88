from __future__ import annotations

import json

import pytest

from companion.api.error_table import ROWS
from companion.api.errors import Problem, body_of, problem_of
from companion.domain import errors as e
from companion.domain.errors import CompanionError
from tests.bot.test_errors import CLASSES, NASTY, sample

OPENAI = "/modules/openai/chat/completions/"


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_and_words_of_its_own(kind: type[CompanionError]) -> None:
    assert kind in ROWS
    problem = problem_of(sample(kind))
    assert problem.status_code in {400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504}
    assert 10 < len(problem.words) < 200 + len(NASTY)
    assert kind.__name__ not in problem.words
    if problem.status_code in {429, 503}:
        assert int(problem.extra["Retry-After"]) >= 1


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_both_shapes_are_what_clients_expect(kind: type[CompanionError]) -> None:
    problem = problem_of(sample(kind))
    status, plain = body_of(problem, "/openai-completion")
    assert json.loads(plain) == {"error": problem.words}
    assert status == problem.status_code
    status, openai = body_of(problem, OPENAI)
    assert json.loads(openai)["error"].keys() == {"message", "type", "param", "code"}
    assert status != 422


def test_no_text_of_the_provider_is_shown() -> None:
    error = e.RequestRejected(status=400, upstream_code=NASTY, request_id=NASTY)
    assert "everyone" not in problem_of(error).words


def test_wait_is_told_in_whole_seconds_and_never_as_zero() -> None:
    assert Problem(429, "Later.", retry_after_s=0.01).extra["Retry-After"] == "1"
    error = e.RateLimited(scope="user", retry_after_s=2.1)
    assert problem_of(error).extra["Retry-After"] == "3"
