"""Which endpoint it is: OpenAI's own is told more, and asked differently, than others."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_openai(base_url: str) -> bool:
    """Return whether it is OpenAI's API (one of its regional hosts included)."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    return parts.scheme == "https" and (
        host == "api.openai.com" or host.endswith(".api.openai.com")
    )
