"""TIFF directories, which hold the EXIF of every format (TIFF 6.0, section 2).

Nothing here raises for damaged data: what cannot be read is absent.

Tested by tests/competition/metadata/test_header.py.
"""

import io
import math
import struct
import sys
from typing import IO, Any

from PIL import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

EXIF_IFD = 0x8769
BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
# Field type → format of one value for `struct`; two letters are a fraction.
FIELD_TYPES = {
    **{1: "c", 2: "c", 3: "H", 4: "I", 5: "II", 6: "b", 7: "c"},
    **{8: "h", 9: "i", 10: "ii", 11: "f", 12: "d", 13: "I"},
}
MAX_FIELD_BYTES = 1 << 16  # an EXIF segment holds no more; the fields read here are much shorter


def exif_stream(image: ImageFile.ImageFile, file: IO[bytes]) -> IO[bytes]:
    """Return the TIFF structure that holds an image's EXIF: the open file itself, or a segment of it."""
    if isinstance(image, TiffImageFile):
        return file
    return io.BytesIO(image.info.get("exif", b"")[len(b"Exif\0\0") :])


def exif_entries(stream: IO[bytes]) -> tuple[str, dict[int, bytes]]:
    """Return the byte order for `struct`, and the entries of the main and the Exif directory: tag → 10 bytes.

    The main directory takes precedence. Returns ("", {}) if `stream` holds no TIFF structure.
    """
    stream.seek(0)
    head = stream.read(8)
    order = BYTE_ORDERS.get(head[:4], "")
    if not order or len(head) < 8:
        return "", {}
    entries = _directory(stream, order, struct.unpack(order + "I", head[4:])[0])
    exif = first_value(read_value(stream, order, entries[EXIF_IFD])) if EXIF_IFD in entries else None
    if isinstance(exif, int) and exif > 0:
        entries |= {tag: entry for tag, entry in _directory(stream, order, exif).items() if tag not in entries}
    return order, entries


def read_value(stream: IO[bytes], order: str, entry: bytes) -> Any:
    """Return the value of a directory's entry, bytes or a tuple of numbers, or None if it cannot be read.

    A fraction becomes a float, NaN for a zero denominator.
    """
    kind, count = struct.unpack_from(order + "HI", entry)
    if kind not in FIELD_TYPES:
        return None
    code = FIELD_TYPES[kind]
    size = count * struct.calcsize(order + code)
    if size > MAX_FIELD_BYTES:
        return None
    data = entry[6 : 6 + size]
    if size > 4:
        stream.seek(struct.unpack_from(order + "I", entry, 6)[0])
        data = stream.read(size)
    if len(data) < size:
        return None
    if code == "c":
        return data
    numbers = struct.unpack(f"{order}{count * len(code)}{code[0]}", data)
    if len(code) == 2:  # fractions
        return tuple(top / bottom if bottom else math.nan for top, bottom in zip(*[iter(numbers)] * 2, strict=True))
    return numbers


def first_value(value: Any) -> Any:
    """Return the first number of a tuple; any other value unchanged."""
    return value[0] if isinstance(value, tuple) and value else value


def decode_text(value: Any) -> str | None:
    """Return bytes as text up to the first zero, without unprintable characters, or None if nothing is left."""
    value = first_value(value)
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return None
    value = "".join(character for character in value.split("\0")[0] if character.isprintable()).strip()
    return sys.intern(value) or None  # thousands of photos share a few names


def _directory(stream: IO[bytes], order: str, offset: int) -> dict[int, bytes]:
    """Return the readable entries of the directory at `offset`: tag → the other 10 bytes."""
    stream.seek(offset)
    count = stream.read(2)
    data = stream.read(12 * struct.unpack(order + "H", count)[0]) if len(count) == 2 else b""
    complete = len(data) // 12 * 12
    return dict(struct.iter_unpack(order + "H10s", data[:complete]))
