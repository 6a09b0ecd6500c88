"""The environment, read once: every variable of the deployment, typed and checked.

`load()` is the only way in; nothing is read when this module is imported. What is
wrong comes out as one `ConfigurationError` that names the variable and the fix and
never shows a value. A field's description is that fix.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from dotenv import dotenv_values
from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from companion.domain.errors import ConfigurationError
from companion.limits.bucket_size import BucketSize
from companion.services.policy import OperatorKeyRule
from companion.setting_formats import (
    http_url,
    not_a_placeholder,
    one_word,
    password_is_real,
    read_bucket,
    read_micros,
    read_payers,
    read_shard_ids,
    redis_address,
    without_version,
)

DEFAULT_MODEL: Final = "gpt-6-luna"
DEFAULT_PROMPT: Final = (
    "You are Companion, an assistant in a Discord chat. Answer helpfully and to the point, "
    "in the language of the question, in Discord's Markdown."
)
OPENAI_URL: Final = "https://api.openai.com/v1"
DOTENV: Final = ".env"
PREFIX: Final = "COMPANION_"
LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}

RealSecret = Annotated[SecretStr, AfterValidator(not_a_placeholder)]
Token = Annotated[RealSecret, AfterValidator(one_word)]
SecretUrl = Annotated[RealSecret, AfterValidator(password_is_real)]
HttpUrl = Annotated[str, AfterValidator(http_url)]
Bucket = Annotated[BucketSize, NoDecode, BeforeValidator(read_bucket)]
Micros = Annotated[int, BeforeValidator(read_micros)]


def _variable(name: str, default: Any, fix: str, **checks: Any) -> Any:
    return Field(default, validation_alias=name, description=fix, **checks)


class Settings(BaseSettings):
    """All settings. Secrets are `SecretStr`: they show in no `repr` and no log."""

    model_config = SettingsConfigDict(
        env_file=DOTENV,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=False,
        str_strip_whitespace=True,
    )

    discord_token: Token | None = _variable(
        "DISCORD_TOKEN", None, "copy the bot's token from the Discord Developer Portal (Bot page)"
    )
    discord_api_url: Annotated[HttpUrl, AfterValidator(without_version)] | None = _variable(
        "DISCORD_API_URL", None, "give the base without the version: http://127.0.0.1:7000/api"
    )
    message_content: bool = _variable("COMPANION_MESSAGE_CONTENT", False, "write true or false")
    openai_api_key: Token | None = _variable(
        "OPENAI_API_KEY", None, "give the provider's key, or leave it out"
    )
    openai_base_url: HttpUrl | None = _variable(
        "OPENAI_BASE_URL", None, "give the server's base URL: https://llm.example/v1"
    )
    local_model: Annotated[Path, AfterValidator(Path.expanduser)] | None = _variable(
        "COMPANION_LOCAL_MODEL", None, "give the path of a GGUF file, or leave it out"
    )
    database_url: SecretUrl | None = _variable(
        "DATABASE_URL", None, "use sqlite+aiosqlite:///<path> or postgresql+asyncpg://<user>@<host>"
    )
    redis_url: Annotated[SecretUrl, AfterValidator(redis_address)] | None = _variable(
        "REDIS_URL", None, "use redis://<host>:6379/0, or leave it out"
    )
    data_dir: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        default_factory=lambda: user_data_path("companion", appauthor=False),
        validation_alias="COMPANION_DATA_DIR",
        description="give a folder that Companion may write to",
    )
    keyring: RealSecret | None = _variable(
        "COMPANION_KEYRING", None, "print one with `companion keyring new`"
    )
    default_model: str = _variable(
        "COMPANION_DEFAULT_MODEL", DEFAULT_MODEL, "give a model's id", max_length=200
    )
    system_prompt: str = _variable(
        "COMPANION_SYSTEM_PROMPT", DEFAULT_PROMPT, "shorten it", max_length=20_000
    )
    operator_key_for: Annotated[OperatorKeyRule, NoDecode, BeforeValidator(read_payers)] = (
        _variable(
            "COMPANION_OPERATOR_KEY_FOR",
            OperatorKeyRule(everyone=True),
            "write everyone, nobody, or server and user ids with commas between them",
        )
    )
    limit_user: Bucket = _variable(
        "COMPANION_LIMIT_USER",
        BucketSize(capacity=20, period_s=60),
        "write how many in how long: 20/60s",
    )
    limit_guild: Bucket = _variable(
        "COMPANION_LIMIT_GUILD",
        BucketSize(capacity=120, period_s=60),
        "write how many in how long: 120/60s",
    )
    limit_key: Bucket = _variable(
        "COMPANION_LIMIT_KEY",
        BucketSize(capacity=60, period_s=60),
        "write how many in how long: 60/60s",
    )
    max_streams: int = _variable(
        "COMPANION_MAX_STREAMS", 64, "give a whole number from 1 to 10000", ge=1, le=10_000
    )
    max_streams_per_user: int = _variable(
        "COMPANION_MAX_STREAMS_PER_USER", 2, "give a whole number from 1 to 100", ge=1, le=100
    )
    budget_user_day: Micros | None = _variable(
        "COMPANION_BUDGET_USER_DAY", None, "give US dollars, or leave it out: 0.50"
    )
    budget_guild_month: Micros | None = _variable(
        "COMPANION_BUDGET_GUILD_MONTH", None, "give US dollars, or leave it out: 20"
    )
    http_host: str = _variable(
        "COMPANION_HTTP_HOST", "127.0.0.1", "give the address to listen on: 127.0.0.1"
    )
    http_port: int = _variable(
        "COMPANION_HTTP_PORT", 8080, "give a free port from 1 to 65535 (0: any)", ge=0, le=65535
    )
    retention_days: int = _variable(
        "COMPANION_RETENTION_DAYS", 30, "give days from 0 to 3650 (0: keep none)", ge=0, le=3650
    )
    shard_count: int | None = _variable(
        "COMPANION_SHARD_COUNT", None, "give a number from 1 to 16384", ge=1, le=16_384
    )
    # outside of the union: within it, a lone `0` would be read as JSON
    shard_ids: Annotated[tuple[int, ...] | None, NoDecode, BeforeValidator(read_shard_ids)] = (
        _variable("COMPANION_SHARD_IDS", None, "write 0-3 or 0,2")
    )
    drain_seconds: float = _variable(
        "COMPANION_DRAIN_SECONDS", 25.0, "give seconds from 0 to 900", ge=0, le=900
    )
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)
    ] = _variable("COMPANION_LOG_LEVEL", "INFO", "write DEBUG, INFO, WARNING, ERROR or CRITICAL")
    log_format: Annotated[Literal["console", "json"], BeforeValidator(str.lower)] | None = (
        _variable("COMPANION_LOG_FORMAT", None, "write console or json")
    )

    @property
    def base_url(self) -> str:
        """The provider's endpoint that the operator's key is for."""
        return self.openai_base_url or OPENAI_URL

    @property
    def store_url(self) -> str:
        """The database's URL, a file in the data folder unless another one was given."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.data_dir / 'companion.db'}"

    def require_discord_token(self) -> SecretStr:
        """Return the token. Raises `ConfigurationError` when there is none."""
        if self.discord_token is None:
            raise ConfigurationError(
                variable="DISCORD_TOKEN",
                problem="is not set",
                fix="copy the bot's token from the Discord Developer Portal (Bot page), "
                "or try everything without one: companion playground",
            )
        return self.discord_token

    @property
    def http_is_open(self) -> bool:
        """Whether other machines can reach the HTTP API."""
        return self.http_host not in LOOPBACK

    @staticmethod
    def open_to_strangers() -> ConfigurationError:
        """Return the error for an HTTP API that is open while nobody has a token."""
        return ConfigurationError(
            variable="COMPANION_HTTP_HOST",
            problem="can be reached from other machines, and no API token exists",
            fix="make one with `companion tokens create NAME`, leave the host at 127.0.0.1, "
            "or run with --no-http",
        )

    def secrets(self) -> list[str]:
        """Return every secret's text, for the log's redaction."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


def load() -> Settings:
    """Read process environment and `.env`. Raises `ConfigurationError`."""
    try:
        settings = Settings()
    except ValidationError as error:
        raise _explained(error.errors(include_url=False, include_input=False)[0]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            variable=DOTENV, problem="is not readable text", fix="mend or remove that file"
        ) from error
    _check_together(settings)
    return settings


def warnings() -> list[str]:
    """Return a sentence for each variable of ours that does not exist."""
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}
    given = {name.upper() for name in [*os.environ, *dotenv_values(DOTENV)]}
    found: list[str] = []
    for name in sorted(given - known):
        if name.startswith(PREFIX):
            similar = get_close_matches(name, known, n=1)
            hint = f"; did you mean {similar[0]}?" if similar else ""
            found.append(f"{name} is not a setting of Companion{hint}")
    return found


def _check_together(settings: Settings) -> None:
    count, ids = settings.shard_count, settings.shard_ids
    if ids and (count is None or ids[-1] >= count):
        raise ConfigurationError(
            variable="COMPANION_SHARD_IDS",
            problem="needs a COMPANION_SHARD_COUNT that is larger than every id in it",
            fix="set COMPANION_SHARD_COUNT to the number of all shards",
        )
    if settings.redis_url is not None and find_spec("redis") is None:
        raise ConfigurationError(
            variable="REDIS_URL",
            problem="needs a package that is not installed",
            fix="install companion[redis], or leave REDIS_URL out",
        )


def _explained(error: ErrorDetails) -> ConfigurationError:
    variable = str(error["loc"][0])
    fix = next(
        field.description or ""
        for field in Settings.model_fields.values()
        if field.validation_alias == variable
    )
    return ConfigurationError(variable=variable, problem=_problem(error), fix=fix)


def _problem(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind == "value_error":
        return str(error.get("ctx", {}).get("error", "is not usable"))
    if kind.startswith(("int_", "float_")):
        return "is not a number of the right kind"
    if kind.startswith("bool_"):
        return "is neither true nor false"
    if kind in {"greater_than_equal", "less_than_equal", "finite_number"}:
        return "is out of range"
    return "is too long" if kind == "string_too_long" else "is not one of the values it may have"
