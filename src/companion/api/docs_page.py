"""`/docs`: the API described on one page of plain HTML, without scripts or a network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #5865f2; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto;
       padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
article { border: 1px solid var(--line); border-radius: .5rem; padding: .2rem 1rem 1rem;
          margin: 1rem 0; }
code, pre { font: .9em/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .7rem; border-radius: .4rem; overflow-x: auto; }
b.method { color: var(--accent); }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid var(--line); padding: .3rem .6rem .3rem 0; vertical-align: top; }
"""
_INTRO: Final = """
<p>Send <code>Authorization: Bearer cmp_…</code>. Make a token with
<code>companion tokens create NAME</code>, or with <code>/token</code> on Discord.
A trailing slash is optional. Every answer carries <code>X-Request-ID</code>; a POST may carry
<code>Idempotency-Key</code>. Programs read the same as <a href="/openapi.json">openapi.json</a>.
</p>
"""


def docs_routes(description: Callable[[], Mapping[str, Any]]) -> APIRouter:
    """Return `/docs`."""
    router = APIRouter()
    pages: list[str] = []

    async def docs() -> HTMLResponse:
        """Show the description, drawn once."""
        if not pages:
            pages.append("".join(_page(description())))
        policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        return HTMLResponse(pages[0], headers={"Content-Security-Policy": policy})

    router.add_api_route("/docs", docs, methods=["GET"], include_in_schema=False)
    return router


def _page(api: Mapping[str, Any]) -> Iterator[str]:
    title = escape(f"{api['info']['title']} HTTP API")
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>{_INTRO}"
    by_tag: dict[str, list[str]] = {}
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            by_tag.setdefault(tag, []).append("".join(_operation(api, path, method, operation)))
    for tag, articles in by_tag.items():
        yield f"<h2>{escape(tag.capitalize())}</h2>{''.join(articles)}"
    yield "</body></html>"


def _operation(
    api: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]
) -> Iterator[str]:
    yield f'<article><h3><b class="method">{method.upper()}</b> <code>{escape(path)}</code></h3>'
    text = operation.get("description") or operation.get("summary", "")
    yield f"<p>{escape(text)}</p>"
    content = operation.get("requestBody", {}).get("content", {})
    for kind, body in content.items():
        schema = _resolved(api, body.get("schema", {}))
        yield f"<p>Body: <code>{escape(kind)}</code></p>"
        yield from _fields(api, schema)
        for example in _examples(body, schema):
            yield f"<pre>{escape(json.dumps(example, indent=2))}</pre>"
    yield "<table>"
    for status, answer in operation.get("responses", {}).items():
        yield f"<tr><td><code>{escape(status)}</code></td><td>{escape(answer['description'])}</td>"
        yield "</tr>"
    yield "</table></article>"


def _fields(api: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    required = set(schema.get("required", ()))
    yield "<table>"
    for name, field in schema.get("properties", {}).items():
        need = "required" if name in required else "optional"
        text = _resolved(api, field).get("description", "")
        yield f"<tr><td><code>{escape(name)}</code></td><td>{need}</td><td>{escape(text)}</td></tr>"
    yield "</table>"


def _examples(body: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Any]:
    named = [one.get("value") for one in body.get("examples", {}).values()]
    return named or list(schema.get("examples", ()))


def _resolved(api: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference to the place where a schema is written."""
    name: str = schema.get("$ref", "").rpartition("/")[2]
    return api["components"]["schemas"][name] if name else schema
