"""Texts as models write them, and worse, for property tests; and how to read parts back."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from companion.domain.fences import after_line

CLUSTERS = (
    "👩‍👩‍👧‍👦",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "👍🏽",
    "🇩🇪",
    "🇩🇪🇫🇷",
    "e\u0301\u0323",
    "한국어",
    "\u1112\u1161\u11ab",
    "क्षि",
    "❤️‍🔥",
    "𝔘",
    "漢字",
    "\r\n",
)
"""What a reader sees as one character each (or a few), in several code points."""

PIECES = (
    "word ",
    "Sentence ends. ",
    "\n",
    "\n\n",
    "  - item\n",
    "## Heading\n",
    "> quoted\n",
    "> ```js\n",
    "> ```\n",
    "```python\n",
    "```\n",
    "```",
    "`",
    "~~~\n",
    "~~~~ text and more\n",
    "````md\n",
    "````\n",
    "1. ```sh\n",
    "   ```\n",
    "    code = 1\n",
    "`inline code`",
    "[link](https://example.com/a?b=c)",
    "https://example.com/path ",
    "| a | b |\n",
    "<@123456789012345678>",
    "@everyone ",
    "x" * 180,
    " " * 40,
    "\t",
)


def texts(*, longest: int = 120) -> st.SearchStrategy[str]:
    """Return texts of up to some ten thousand characters, dense in things that break."""
    piece = st.one_of(
        st.sampled_from(PIECES),
        st.sampled_from(CLUSTERS),
        st.sampled_from(PIECES).map(lambda piece: piece * 12),
        st.text(max_size=40),
    )
    return st.lists(piece, max_size=longest).map("".join).filter(_no_desert)


def _no_desert(text: str) -> bool:
    """Blanks of a message's length are left out on purpose; they have a test of their own."""
    return re.search(r"[\s\0-\x1f\u200b-\u200f]{1200}", text) is None


def cut_into(text: str, sizes: list[int]) -> list[str]:
    """Return the text as deltas of those sizes, over and over."""
    deltas: list[str] = []
    start, turn = 0, 0
    while start < len(text):
        size = max(1, sizes[turn % len(sizes)])
        deltas.append(text[start : start + size])
        start, turn = start + size, turn + 1
    return deltas


def ends_inside_block(content: str) -> bool:
    """Whether a message leaves a code block open."""
    fence = None
    for line in content.split("\n"):
        fence = after_line(line, fence)
    return fence is not None


def without_added_lines(contents: list[str]) -> str:
    """Join messages as a reader would: without the lines that close and reopen a block.

    Needs a text whose code is only ever cut at line ends.
    """
    joined = contents[0]
    for content in contents[1:]:
        reopened = re.match(r"```\w*\n", content)
        if joined.endswith("\n```") and reopened:
            joined = joined.removesuffix("```") + content[reopened.end() :]
        else:
            joined += content
    return joined
