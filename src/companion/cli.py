"""The command `companion`: how it is written, and how it ends.

What a command needs is imported when it runs, so that `--help` answers at once and
a running app holds no more than it uses.
"""

from __future__ import annotations

import logging
import sys
from typing import Annotated, Final, NoReturn

import typer

from companion.shell.play_model import PlayModel

SURPRISE: Final = "Something unexpected went wrong; the log above has the details."
_UNUSED: Final = ("rich", "pydantic.v1", "brotli", "brotlicffi", "backports.zstd")
"""What libraries load when it is there, and do without when it is not: together 7 MiB, 80 ms.

structlog for tracebacks that we do not use, FastAPI to know the models of another time, HTTP
clients to be sent answers in other compressions than gzip.
"""

app = typer.Typer(
    name="companion",
    help="The OpenAI API in Discord, with everyone's own key.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
db = typer.Typer(help="Migrate the database.", no_args_is_help=True, rich_markup_mode=None)
keyring = typer.Typer(help="Encryption keys.", no_args_is_help=True, rich_markup_mode=None)
tokens = typer.Typer(help="Tokens of the HTTP API.", no_args_is_help=True, rich_markup_mode=None)
model = typer.Typer(help="The local model.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(db, name="db")
app.add_typer(keyring, name="keyring")
app.add_typer(model, name="model")
app.add_typer(tokens, name="tokens")

Revision = Annotated[str, typer.Argument(help="A revision's number, such as 0001.")]


@app.command()
def run(
    discord: Annotated[bool, typer.Option(help="Connect to Discord.")] = True,
    http: Annotated[bool, typer.Option(help="Serve the HTTP API.")] = True,
    local_model: Annotated[
        bool, typer.Option("--local-model", help="Answer from a small model on this machine.")
    ] = False,
) -> None:
    """Run the Discord app and the HTTP API in one process."""
    from companion.shell import running

    running.run(discord=discord, http=http, local_model=local_model)


@app.command()
def playground(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The page's port; 0: any.")] = 8770,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    seed_demo: Annotated[
        bool, typer.Option("--seed-demo", help="Begin with a short conversation.")
    ] = False,
    model: Annotated[PlayModel, typer.Option(help="Which model answers.")] = PlayModel.AUTO,
) -> None:
    """Try the app on a local Discord: no token, no key."""
    from companion.shell import playing

    playing.play(
        playing.PlayOptions(
            host=host, port=port, open_browser=browser, seed_demo=seed_demo, model=model
        )
    )


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check the settings and all they point to."""
    from companion.shell import doctor as checks

    _finish(*checks.examine(as_json=as_json))


@app.command()
def version() -> None:
    """Print the versions of all that matters."""
    from companion.shell import versions

    _finish(versions.report())


@db.command()
def upgrade(revision: Revision = "head") -> None:
    """Bring the database to the newest revision, or to the given one."""
    from companion.shell import database

    _finish(database.upgrade(revision))


@db.command()
def downgrade(revision: Revision) -> None:
    """Take the database back to a revision; `base` drops every table."""
    from companion.shell import database

    _finish(database.downgrade(revision))


@db.command()
def current() -> None:
    """Print the database's revision."""
    from companion.shell import database

    _finish(database.current())


@db.command()
def check() -> None:
    """Say whether migrations are pending; exit code 1 when they are."""
    from companion.shell import database

    _finish(*database.check())


@keyring.command()
def new() -> None:
    """Print a new key, to put in front of COMPANION_KEYRING."""
    from companion.shell import keys

    _finish(keys.new())


@keyring.command("list")
def list_() -> None:
    """List the key ids and how many rows are under each."""
    from companion.shell import keys

    _finish(keys.usage())


@keyring.command()
def rotate() -> None:
    """Encrypt everything under the first key; may run while the app does, and again."""
    from companion.shell import keys

    _finish(*keys.rotate_all())


@tokens.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What you call it.")],
    user: Annotated[
        list[str] | None,
        typer.Option(help="A user_id it speaks for; may be given again. Left out: its NAME."),
    ] = None,
    act_as: Annotated[bool, typer.Option("--act-as", help="It speaks for any user_id.")] = False,
    expires: Annotated[str | None, typer.Option(help="For how long: 90d, 12h.")] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="chat, models, images, audio; may be given again. Left out: all."),
    ] = None,
) -> None:
    """Make a token and print it, this once."""
    from companion.shell import tokens as work

    text, said = work.create(
        name, users=user or [], act_as=act_as, expires=expires, scopes=scope or []
    )
    print(said, file=sys.stderr)  # so that the token alone may be piped on
    _finish(text)


@tokens.command("list")
def list_tokens() -> None:
    """List all tokens, without their secrets."""
    from companion.shell import tokens as work

    _finish(work.listing())


@tokens.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="The token's id, from the list.")],
) -> None:
    """End a token; running servers refuse it within five seconds."""
    from companion.shell import tokens as work

    _finish(*work.revoke(token_id))


@model.command()
def fetch() -> None:
    """Get the local model's file now."""
    from companion.shell import fetching

    _finish(fetching.fetch_now())


def main() -> None:
    """Run a command; every end is an exit code, and every known failure one sentence."""
    for unused in _UNUSED:
        sys.modules.setdefault(unused, None)  # type: ignore[arg-type]
    try:
        app(prog_name="companion")
    except Exception as error:  # noqa: BLE001 — the last resort of the shell
        _give_up(error)


def _finish(words: str, code: int = 0) -> NoReturn:
    print(words)
    raise typer.Exit(code)


def _give_up(error: Exception) -> NoReturn:
    from companion.shell.sentences import Exit, explain

    explained = explain(error)
    if explained is None:
        logging.getLogger("companion").error("crashed", exc_info=error)
        explained = (SURPRISE, Exit.FAILED)
    print(f"companion: {explained[0]}", file=sys.stderr)
    sys.exit(explained[1])
