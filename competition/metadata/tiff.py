"""TIFF directories, which hold the EXIF of every format: their entries, and what an entry says. TIFF 6.0, section 2.

Nothing here raises for damaged data: what cannot be read is not there.
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
# What a value is made of, as `struct` has it; two letters are a fraction.
FIELD_TYPES = {
    **{1: "c", 2: "c", 3: "H", 4: "I", 5: "II", 6: "b", 7: "c"},
    **{8: "h", 9: "i", 10: "ii", 11: "f", 12: "d", 13: "I"},
}
LONGEST_FIELD = 1 << 16  # bytes: an EXIF segment holds no more; none of the fields read here is nearly as long


def exif_stream(image: ImageFile.ImageFile, file: IO[bytes]) -> IO[bytes]:
    """The TIFF structure that holds an image's EXIF: its open file itself, or a segment of it."""
    if isinstance(image, TiffImageFile):
        return file
    return io.BytesIO(image.info.get("exif", b"")[len(b"Exif\0\0") :])


def exif_entries(stream: IO[bytes]) -> tuple[str, dict[int, bytes]]:
    """The byte order (as `struct` has it) and the entries, tag → 10 bytes, of the main and then the Exif directory.

    Where both have a tag, the main one's counts. ("", {}) where `stream` holds no TIFF structure.
    """
    stream.seek(0)
    head = stream.read(8)
    order = BYTE_ORDERS.get(head[:4], "")
    if not order or len(head) < 8:
        return "", {}
    entries = _directory(stream, order, struct.unpack(order + "I", head[4:])[0])
    exif = single(value_of(stream, order, entries[EXIF_IFD])) if EXIF_IFD in entries else None
    if isinstance(exif, int) and exif > 0:
        entries |= {tag: entry for tag, entry in _directory(stream, order, exif).items() if tag not in entries}
    return order, entries


def value_of(stream: IO[bytes], order: str, entry: bytes) -> Any:
    """The bytes or the tuple of numbers of a directory's entry; None where they are not there.

    A fraction is a float, NaN where it divides by zero.
    """
    kind, count = struct.unpack_from(order + "HI", entry)
    if kind not in FIELD_TYPES:
        return None
    code = FIELD_TYPES[kind]
    size = count * struct.calcsize(order + code)
    if size > LONGEST_FIELD:
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


def single(value: Any) -> Any:
    """The first of several numbers; anything else as it is."""
    return value[0] if isinstance(value, tuple) and value else value


def text_of(value: Any) -> str | None:
    """A value's bytes as text up to the first zero, without what cannot be printed; None where nothing is left."""
    value = single(value)
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return None
    value = "".join(character for character in value.split("\0")[0] if character.isprintable()).strip()
    return sys.intern(value) or None  # thousands of photographs share a few names


def _directory(stream: IO[bytes], order: str, offset: int) -> dict[int, bytes]:
    """The entries of the directory at `offset`, as far as they are there: tag → its other 10 bytes."""
    stream.seek(offset)
    count = stream.read(2)
    data = stream.read(12 * struct.unpack(order + "H", count)[0]) if len(count) == 2 else b""
    whole = len(data) // 12 * 12
    return dict(struct.iter_unpack(order + "H10s", data[:whole]))
