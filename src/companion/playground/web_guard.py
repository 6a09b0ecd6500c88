"""Who may talk to the page's server: this page itself, and no other site.

A browser lets any web site open a websocket to a local port, and a site can point its
own name at 127.0.0.1 (DNS rebinding). So a request must name a host that no site can
own, and what changes something must come from that very origin.
"""

from __future__ import annotations

import ipaddress

from aiohttp import web

MARK = "X-Playground"

# `require-trusted-types-for` makes the browser itself refuse innerHTML and its kin.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self'; connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
# A person's upload is served from the same origin as the page: it must never run there.
_FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def check_host(request: web.Request) -> None:
    """Raise `HTTPForbidden` where the request names a host that a web site could own."""
    if not _is_local_name(_hostname(request.host)):
        raise web.HTTPForbidden(
            text=f"This playground is not called {request.host}. Open it by its address, "
            "such as http://127.0.0.1:8770/."
        )


def check_origin(request: web.Request) -> None:
    """Raise `HTTPForbidden` where the request comes from another site's page, or from none."""
    check_host(request)
    if request.headers.get("Origin") != f"{request.scheme}://{request.host}":
        raise web.HTTPForbidden(text="Only the playground's own page may do this.")


def page_headers(request: web.Request) -> dict[str, str]:
    """Return the headers of a file of the page."""
    socket = f"{'wss' if request.secure else 'ws'}://{request.host}"
    return {
        **_ALWAYS,
        "Content-Security-Policy": _PAGE_POLICY.format(socket=socket),
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-cache",
    }


async def disarm_files(request: web.Request, response: web.StreamResponse) -> None:
    """Keep an uploaded file from running as a page (a response hook of the application)."""
    if request.path.startswith(("/attachments/", "/ephemeral-attachments/")):
        response.headers.update(_ALWAYS)
        response.headers["Content-Security-Policy"] = _FILE_POLICY


def _hostname(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _is_local_name(name: str) -> bool:
    """Addresses cannot be rebound, and `localhost` names belong to nobody."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
