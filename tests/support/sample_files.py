"""Files of every kind, good and hostile, made here so that nobody has to trust a blob."""

from __future__ import annotations

import struct
import zipfile
import zlib
from functools import cache
from io import BytesIO

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

GPS_IFD = 0x8825
ORIENTATION = 0x0112
CAMERA = 0x010F
DOCUMENT_XML = (
    '<?xml version="1.0"?><w:document xmlns:w='
    '"http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{}</w:body>'
    "</w:document>"
)


def picture(form: str = "PNG", size: tuple[int, int] = (40, 20)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "red").save(out, form)
    return out.getvalue()


def moving_gif() -> bytes:
    """A red frame, then a blue one."""
    out = BytesIO()
    frames = [Image.new("P", (16, 16), 1), Image.new("P", (16, 16), 2)]
    for frame in frames:
        frame.putpalette([0, 0, 0, 255, 0, 0, 0, 0, 255])
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


def photo(size: tuple[int, int] = (60, 30)) -> bytes:
    """A JPEG that says where and with what it was taken, and lies on its side."""
    image = Image.new("RGB", size, "green")
    exif = Image.Exif()
    exif[CAMERA] = "CANARY CAMERA"
    exif[ORIENTATION] = 6
    exif.get_ifd(GPS_IFD)[1] = "N"
    exif.get_ifd(GPS_IFD)[2] = (52.0, 31.0, 12.0)
    out = BytesIO()
    image.save(out, "JPEG", exif=exif, comment=b"CANARY COMMENT")
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be huge."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(bytes(1000)))
        + _chunk(b"IEND", b"")
    )


@cache
def png_text_bomb(unpacked: int = 200_000_000) -> bytes:
    """A small PNG with a comment that unpacks to 200 MB."""
    image = picture()
    comment = b"Comment\x00\x00" + _zeros(unpacked)
    return image[:33] + _chunk(b"zTXt", comment) + image[33:]


def pdf(*pages: str, password: str | None = None) -> bytes:
    writer = PdfWriter()
    for text in pages:
        page = writer.add_blank_page(width=200, height=200)
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        if text:
            stream = DecodedStreamObject()
            stream.set_data(f"BT /F1 12 Tf 10 100 Td ({text}) Tj ET".encode())
            page[NameObject("/Contents")] = stream
    if password is not None:
        writer.encrypt(password, algorithm="RC4-128")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


@cache
def pdf_bomb(unpacked: int = 300_000_000) -> bytes:
    """One page whose contents unpack to 300 MB, packed twice."""
    packed = zlib.compress(_zeros(unpacked))
    stream = b"<< /Filter [/FlateDecode /FlateDecode] /Length %d >>\nstream\n" % len(packed)
    return _raw_pdf(stream + packed + b"\nendstream")


def pdf_that_takes_forever(operators: int = 3_000_000) -> bytes:
    """One page of millions of drawing operators."""
    packed = zlib.compress(b"BT /F1 1 Tf (a) Tj ET\n" * operators, 9)
    stream = b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(packed)
    return _raw_pdf(stream + packed + b"\nendstream")


def docx(*paragraphs: str) -> bytes:
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    return zipped(DOCUMENT_XML.format(body).encode())


@cache
def docx_bomb(unpacked: int = 200_000_000) -> bytes:
    """A thousand to one: 200 MB of blanks."""
    out = BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("word/document.xml", "w") as part,
    ):
        for _ in range(unpacked // 1_000_000):
            part.write(b" " * 1_000_000)
    return out.getvalue()


def lying_docx(unpacked: int = 100_000_000) -> bytes:
    """A bomb whose directory says that it is small."""
    honest = docx_bomb(unpacked)
    size = struct.pack("<I", unpacked)
    return honest.replace(size, struct.pack("<I", 1000))


def docx_of_entities() -> bytes:
    """The billion laughs."""
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    xml = f'<!DOCTYPE w [<!ENTITY l0 "ha">{levels}]><w>&l9;</w>'
    return zipped(xml.encode())


def zipped(contents: bytes, name: str = "word/document.xml") -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, contents)
    return out.getvalue()


def _raw_pdf(contents: bytes) -> bytes:
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << "
        b"/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        contents,
    )
    out = bytearray(b"%PDF-1.7\n")
    places: list[int] = []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n"
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % table
    return bytes(out)


def _zeros(size: int) -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1_000_000)
    packed = [packer.compress(block) for _ in range(size // len(block))]
    return b"".join([*packed, packer.flush()])


def _chunk(kind: bytes, contents: bytes) -> bytes:
    return (
        struct.pack(">I", len(contents))
        + kind
        + contents
        + struct.pack(">I", zlib.crc32(kind + contents))
    )
