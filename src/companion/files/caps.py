"""How much of a file is looked at, and what reading one may take."""

from __future__ import annotations

from typing import Final

IMAGE_BYTES: Final = 10 * 2**20
DOCUMENT_BYTES: Final = 10 * 2**20
TEXT_BYTES: Final = 4 * 2**20
AUDIO_BYTES: Final = 25 * 2**20
"""Of recordings: OpenAI takes no more (its speech-to-text guide)."""

KEPT_CHARACTERS: Final = 200_000
"""Of a text: no excerpt of one is longer than a quarter of that."""

PIXELS: Final = 50_000_000
"""What a telephone's camera takes; decoded, 200 MB."""

LONGEST_SIDE: Final = 2048
"""Pixels of the pictures sent: vision models scale larger ones down themselves."""

SENT_IMAGE_BYTES: Final = 2 * 2**20
JPEG_QUALITY: Final = 88

PAGES: Final = 300
UNPACKED_BYTES: Final = 20 * 2**20
UNPACKED_RATIO: Final = 200
UNPACKED_ANYWAY: Final = 2**20
"""A part this small may be packed as tightly as it likes."""

ADDRESS_SPACE_BYTES: Final = 768 * 2**20
CPU_S: Final = 10
READING_CPU_S: Final = 6.0
"""After this much work on a document we make do with the pages read so far."""

WALL_S: Final = 20.0
RESULT_BYTES: Final = 8 * 2**20
