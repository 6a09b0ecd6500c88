from __future__ import annotations

import re
from pathlib import Path

import pytest

from companion import settings
from companion.domain.errors import ConfigurationError
from companion.services.policy import OperatorKeyRule
from companion.settings import Settings, load

SECRET = "sk-canary-0123456789abcdef"
VARIABLES = {
    "DISCORD_TOKEN",
    "DISCORD_API_URL",
    "COMPANION_MESSAGE_CONTENT",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "COMPANION_LOCAL_MODEL",
    "DATABASE_URL",
    "REDIS_URL",
    "COMPANION_DATA_DIR",
    "COMPANION_KEYRING",
    "COMPANION_DEFAULT_MODEL",
    "COMPANION_SYSTEM_PROMPT",
    "COMPANION_OPERATOR_KEY_FOR",
    "COMPANION_LIMIT_USER",
    "COMPANION_LIMIT_GUILD",
    "COMPANION_LIMIT_KEY",
    "COMPANION_MAX_STREAMS",
    "COMPANION_MAX_STREAMS_PER_USER",
    "COMPANION_BUDGET_USER_DAY",
    "COMPANION_BUDGET_GUILD_MONTH",
    "COMPANION_HTTP_HOST",
    "COMPANION_HTTP_PORT",
    "COMPANION_RETENTION_DAYS",
    "COMPANION_SHARD_COUNT",
    "COMPANION_SHARD_IDS",
    "COMPANION_DRAIN_SECONDS",
    "COMPANION_LOG_LEVEL",
    "COMPANION_LOG_FORMAT",
}


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> ConfigurationError:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load()
    return caught.value


def test_every_documented_variable_exists_and_no_other() -> None:
    assert {str(field.validation_alias) for field in Settings.model_fields.values()} == VARIABLES


def test_every_variable_has_a_fix() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_nothing_has_to_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded = load()
    assert loaded.default_model == "gpt-6-luna"
    assert loaded.base_url == "https://api.openai.com/v1"
    assert loaded.store_url == f"sqlite+aiosqlite:///{tmp_path}/data/companion.db"
    assert loaded.operator_key_for == OperatorKeyRule(everyone=True)
    assert (loaded.limit_user.capacity, loaded.limit_user.period_s) == (20, 60)
    assert (loaded.http_host, loaded.http_port) == ("127.0.0.1", 8080)
    monkeypatch.delenv("COMPANION_DATA_DIR")
    assert load().data_dir.name == "companion"


def test_values_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "COMPANION_LIMIT_GUILD": "500/1h",
        "COMPANION_SHARD_COUNT": "8",
        "COMPANION_SHARD_IDS": "0-2,5",
        "COMPANION_OPERATOR_KEY_FOR": "223456789012345678, 123456789012345678",
        "COMPANION_BUDGET_USER_DAY": "$2.50",
        "COMPANION_MESSAGE_CONTENT": "true",
        "COMPANION_LOG_LEVEL": "debug",
        "OPENAI_BASE_URL": "http://127.0.0.1:11434/v1/",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    loaded = load()
    assert (loaded.limit_guild.capacity, loaded.limit_guild.period_s) == (500, 3600)
    assert loaded.shard_ids == (0, 1, 2, 5)
    assert loaded.operator_key_for.ids == {223456789012345678, 123456789012345678}
    assert loaded.budget_user_day == 2_500_000
    assert loaded.message_content
    assert loaded.log_level == "DEBUG"
    assert loaded.base_url == "http://127.0.0.1:11434/v1"


def test_process_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("COMPANION_HTTP_PORT=8001\nCOMPANION_MAX_STREAMS=7\n", encoding="utf-8")
    monkeypatch.setenv("COMPANION_HTTP_PORT", "8002")
    assert (load().http_port, load().max_streams) == (8002, 7)


def test_empty_means_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES - {"COMPANION_DATA_DIR"}:
        monkeypatch.setenv(name, "")
    loaded = load()
    assert loaded.openai_api_key is None
    assert loaded.default_model == settings.DEFAULT_MODEL


@pytest.mark.parametrize(
    "placeholder",
    [
        *("changeme", "CHANGE_ME", "your-token-here", "your_api_key_here", "<token>", "xxx"),
        *("sk-...", "${DISCORD_TOKEN}", "replace-me", "paste your token here", "example"),
    ],
)
@pytest.mark.parametrize("variable", ["DISCORD_TOKEN", "OPENAI_API_KEY", "COMPANION_KEYRING"])
def test_placeholder_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, placeholder: str
) -> None:
    error = refusal(monkeypatch, **{variable: placeholder})
    assert error.variable == variable
    assert "placeholder" in error.problem


@pytest.mark.parametrize("key", ["none", "ollama", "sk-proj-4xQ", "lm-studio"])
def test_odd_keys_of_local_servers_are_not_placeholders(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    loaded = load()
    assert loaded.openai_api_key is not None
    assert loaded.openai_api_key.get_secret_value() == key


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("COMPANION_LIMIT_USER", "20"),
        ("COMPANION_LIMIT_USER", "0/60s"),
        ("COMPANION_HTTP_PORT", "70000"),
        ("COMPANION_HTTP_PORT", "http"),
        ("COMPANION_MESSAGE_CONTENT", "perhaps"),
        ("COMPANION_SHARD_IDS", "3-1"),
        ("COMPANION_SHARD_IDS", "1,1"),
        ("COMPANION_SHARD_IDS", "0,1"),
        ("COMPANION_SHARD_COUNT", "0"),
        ("COMPANION_OPERATOR_KEY_FOR", "somebody"),
        ("COMPANION_BUDGET_USER_DAY", "NaN"),
        ("COMPANION_BUDGET_GUILD_MONTH", "-1"),
        ("COMPANION_RETENTION_DAYS", "-1"),
        ("COMPANION_DRAIN_SECONDS", "inf"),
        ("COMPANION_LOG_LEVEL", "chatty"),
        ("COMPANION_LOG_FORMAT", "xml"),
        ("COMPANION_DEFAULT_MODEL", "m" * 500),
        ("DISCORD_API_URL", "http://127.0.0.1:7000/api/v10"),
        ("DISCORD_API_URL", "discord.com"),
        ("OPENAI_BASE_URL", "ftp://llm.example/v1"),
        ("OPENAI_BASE_URL", "https://me:pass@llm.example/v1"),
        ("OPENAI_BASE_URL", "https://[::1"),
        ("REDIS_URL", "http://127.0.0.1:6379"),
        ("DATABASE_URL", "postgresql://companion:changeme@db/companion"),
        ("DISCORD_TOKEN", "abc\ndef"),
    ],
)
def test_wrong_value_is_told_with_its_variable_and_a_fix(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    error = refusal(monkeypatch, **{variable: value})
    assert error.variable == variable
    assert error.problem
    assert error.fix


def test_redis_without_its_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "find_spec", lambda name: None)  # type: ignore[misc]
    error = refusal(monkeypatch, REDIS_URL="redis://127.0.0.1:6379/0")
    assert error.variable == "REDIS_URL"
    assert "companion[redis]" in error.fix


def test_unreadable_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_bytes(b"COMPANION_SYSTEM_PROMPT=\xff\xfe\xfa\n")
    assert refusal(monkeypatch).variable == ".env"


def test_secrets_show_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me:{SECRET}@db/companion")
    loaded = load()
    assert SECRET not in f"{loaded!r} {loaded} {loaded.model_dump_json()}"
    assert any(SECRET in secret for secret in loaded.secrets())


def test_wrong_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    error = refusal(monkeypatch, OPENAI_API_KEY=f"{SECRET} {SECRET}")
    assert SECRET not in f"{error!r} {error.problem} {error.fix}"
    assert error.__cause__ is None


def test_unknown_name_of_ours_is_suggested_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPANION_LIMIT_USR", "1/1s")
    Path(".env").write_text("COMPANION_NONSENSE=1\nSOMETHING_ELSE=1\n", encoding="utf-8")
    found = settings.warnings()
    assert any(re.search("COMPANION_LIMIT_USR.*COMPANION_LIMIT_USER", one) for one in found)
    assert any("COMPANION_NONSENSE" in one for one in found)
    assert len(found) == 2


@pytest.mark.parametrize(("text", "ids"), [("0", (0,)), ("1", (1,)), ("0-3", (0, 1, 2, 3))])
def test_shards_of_a_process(
    monkeypatch: pytest.MonkeyPatch, text: str, ids: tuple[int, ...]
) -> None:
    monkeypatch.setenv("COMPANION_SHARD_COUNT", "4")
    monkeypatch.setenv("COMPANION_SHARD_IDS", text)
    assert settings.load().shard_ids == ids
