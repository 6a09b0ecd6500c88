"""Pictures made small and plain enough to be sent; runs in the reading process only.

What is sent is encoded anew from the pixels: no metadata (camera, place, comments)
and no oddity of the original's encoding goes along.
"""

from __future__ import annotations

import base64
from io import BytesIO

from PIL import Image, ImageOps

from companion.domain.file_kinds import FileKind
from companion.files import caps
from companion.files.results import Outcome, Result

_FORMATS = {
    FileKind.PNG: "PNG",
    FileKind.JPEG: "JPEG",
    FileKind.WEBP: "WEBP",
    FileKind.GIF: "GIF",
}


def read(data: bytes, kind: FileKind) -> Result:
    """Return a picture as a data URL; only the first frame of a moving one."""
    Image.MAX_IMAGE_PIXELS = None  # it would warn first and refuse late: we count ourselves
    with Image.open(BytesIO(data), formats=(_FORMATS[kind],)) as image:
        width, height = image.size
        if width * height > caps.PIXELS:
            return Result(outcome=Outcome.TOO_MANY_PIXELS, width=width, height=height)
        plain = _plain(image)
    media_type, encoded = _encode(plain, lossy=kind is FileKind.JPEG)
    url = b"data:" + media_type + b";base64," + base64.b64encode(encoded)
    return Result(outcome=Outcome.IMAGE, contents=url, width=width, height=height)


def _plain(image: Image.Image) -> Image.Image:
    """Return the pixels alone, upright, at most `LONGEST_SIDE` long, as RGB or RGBA."""
    box = (caps.LONGEST_SIDE, caps.LONGEST_SIDE)
    image.draft("RGB", box)  # a JPEG is decoded at about the size that is needed
    image.load()
    mode = "RGBA" if image.has_transparency_data else "RGB"
    small = image
    if image.mode in {"1", "P"}:  # numbers of colours cannot be averaged
        small = image.convert(mode)
    small.thumbnail(box, reducing_gap=2.0)
    small = ImageOps.exif_transpose(small).convert(mode)
    bare = Image.new(mode, small.size)
    bare.paste(small)
    return bare


def _encode(image: Image.Image, *, lossy: bool) -> tuple[bytes, bytes]:
    """Return media type and bytes: exact where that is small enough, else a JPEG on white."""
    if not lossy:
        exact = _saved(image, "PNG")
        if len(exact) <= caps.SENT_IMAGE_BYTES:
            return b"image/png", exact
    if image.mode == "RGBA":
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        image = paper
    return b"image/jpeg", _saved(image, "JPEG", quality=caps.JPEG_QUALITY)


def _saved(image: Image.Image, form: str, **options: int) -> bytes:
    out = BytesIO()
    image.save(out, form, **options)
    return out.getvalue()
