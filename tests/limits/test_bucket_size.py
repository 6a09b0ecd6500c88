from __future__ import annotations

import pytest

from companion.limits.bucket_size import BucketSize


@pytest.mark.parametrize(
    ("text", "capacity", "period_s"),
    [
        ("20/60s", 20, 60),
        (" 20 / 60 s ", 20, 60),
        ("20/60", 20, 60),
        ("5/0.5s", 5, 0.5),
        ("100/1m", 100, 60),
        ("500/2H", 500, 7200),
    ],
)
def test_sizes_as_people_write_them(text: str, capacity: int, period_s: float) -> None:
    assert BucketSize.parse(text) == BucketSize(capacity=capacity, period_s=period_s)


@pytest.mark.parametrize("text", ["", "20", "0/60s", "20/0s", "-1/60s", "a/b", "20/60d", "1.5/60s"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"form|bucket"):
        BucketSize.parse(text)
