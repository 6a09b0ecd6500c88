from __future__ import annotations

import pytest

from companion.services.policy import OperatorKeyRule
from tests.services.house import ADA, DM, GRACE, HERE


@pytest.mark.parametrize("text", ["everyone", " Everyone\n"])
def test_everyone_may(text: str) -> None:
    assert OperatorKeyRule.parse(text).allows(ADA, DM)


def test_nobody_may() -> None:
    rule = OperatorKeyRule.parse("nobody")
    assert rule.nobody
    assert not rule.allows(ADA, HERE)


@pytest.mark.parametrize("text", ["1,77", "1 77", "1, 77", "77;1", "1,77,"])
def test_listed_users_may_everywhere(text: str) -> None:
    rule = OperatorKeyRule.parse(text)
    assert rule.allows(ADA, DM)
    assert not rule.allows(GRACE, DM)


def test_everyone_may_in_listed_servers_and_not_elsewhere() -> None:
    rule = OperatorKeyRule.parse("9")
    assert rule.allows(GRACE, HERE)
    assert not rule.allows(GRACE, DM)


@pytest.mark.parametrize("text", ["", "anyone", "1,x", "-1", "everyone,1"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither everyone"):
        OperatorKeyRule.parse(text)
