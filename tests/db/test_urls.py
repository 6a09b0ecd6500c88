from __future__ import annotations

import pytest

from companion.db import urls
from companion.domain.errors import ConfigurationError


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("sqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("sqlite+aiosqlite:////var/lib/x.db", "sqlite+aiosqlite:////var/lib/x.db"),
        ("postgres://u:p@h/db", "postgresql+asyncpg://u:p@h/db"),
        ("postgresql://u:p%40ss@h:6432/db", "postgresql+asyncpg://u:p%40ss@h:6432/db"),
        ("postgresql+asyncpg://u:p@h/db", "postgresql+asyncpg://u:p@h/db"),
        ("postgresql://u@h/db?sslmode=require", "postgresql+asyncpg://u@h/db?ssl=require"),
        (" postgresql://u@/db?host=/run/pg ", "postgresql+asyncpg://u@/db?host=%2Frun%2Fpg"),
    ],
)
def test_urls_as_people_write_them_get_our_driver(written: str, used: str) -> None:
    assert urls.parse(written).render_as_string(hide_password=False) == used
    assert urls.parse(used).render_as_string(hide_password=False) == used


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "mysql://u:hunter2@h/db",
        "postgresql+psycopg2://u:hunter2@h/db",
        "postgresql://u:hunter2@h:port/db",
        "postgresql://u:hunter2@h/db?channel_binding=require",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file::memory:?cache=shared&uri=true",
    ],
)
def test_a_url_we_cannot_use_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        urls.parse(url)
    assert refused.value.variable == "DATABASE_URL"
    assert "hunter2" not in f"{refused.value!r}{refused.value.__cause__!r}"
