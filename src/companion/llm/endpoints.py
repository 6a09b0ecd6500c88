"""Which endpoint it is: OpenAI's own is told more, and asked differently, than others."""

from __future__ import annotations

import httpx2


def is_openai(base_url: str) -> bool:
    """Return whether it is OpenAI's API (one of its regional hosts included)."""
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL:
        return False
    ours = url.host == "api.openai.com" or url.host.endswith(".api.openai.com")
    return ours and url.scheme == "https"
