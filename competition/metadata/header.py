"""Read the header of a photo: size, EXIF fields, quantization tables. Pixels are never decoded."""

import math
import os
import re
import struct
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from PIL import ImageFile
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from competition.metadata.jpeg_quality import estimate_quality
from competition.metadata.tiff import decode_text, exif_entries, exif_stream, first_value, read_value
from competition.utils.errors import InputError


class JpegHeader(JpegImageFile):
    """Pillow's JPEG reader without the resolution, for which it would decode all of EXIF."""

    def _read_dpi_from_exif(self) -> None:
        pass


# The plugins are called directly, by signature: `Image.open` tries some forty formats, and treats a JPEG that is
# followed by a second picture (MPO) as another format.
READERS: dict[bytes, Callable[[IO[bytes]], ImageFile.ImageFile]] = {
    b"\xff\xd8\xff": JpegHeader,
    b"\x89PNG\r\n\x1a\n": PngImageFile,
    b"II*\0": TiffImageFile,
    b"MM\0*": TiffImageFile,
}
SUBSAMPLINGS = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}

MAX_PIXELS = 89_478_485  # Pillow's limit for a warning of a decompression bomb; larger images are not decoded
# Errors that Pillow's plugins raise for damaged headers. Any other error is a bug and keeps its traceback.
DAMAGED = (SyntaxError, OSError, ValueError, TypeError, LookupError, EOFError, ArithmeticError, struct.error)

MAKE, MODEL, SOFTWARE = 0x010F, 0x0110, 0x0131
EXPOSURE_TIME, F_NUMBER, ISO, TAKEN_AT = 0x829A, 0x829D, 0x8827, 0x9003
EXIF_WIDTH, EXIF_HEIGHT, BODY_SERIAL_NUMBER = 0xA002, 0xA003, 0xA431
DATE = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class Header:
    """The header of one file. Absent and damaged fields are None.

    Attributes:
        format: JPEG, PNG or TIFF.
        mode: Pillow's name of the color mode ("RGB", "L", "CMYK", …).
        bits: per channel.
        width, height: pixels as stored, without applying the EXIF orientation.
        complete: False for a truncated file.
        make, model, software, device: EXIF text; `device` is the serial number of the body.
        f_number: ratio.
        iso: ISO speed.
        exposure_time: seconds.
        taken_at: `YYYY-MM-DDTHH:MM:SS` in the camera's local time.
        exif_width, exif_height: size that EXIF states.
        tables: JPEG quantization tables by slot, 64 steps in natural order.
        subsampling: of the JPEG's chroma, such as `4:2:0`.
        jpeg_quality: see `competition.metadata.jpeg_quality`.
    """

    format: str
    mode: str
    bits: int
    width: int
    height: int
    complete: bool
    make: str | None
    model: str | None
    software: str | None
    device: str | None
    f_number: float | None
    iso: float | None
    exposure_time: float | None
    taken_at: str | None
    exif_width: int | None
    exif_height: int | None
    tables: Mapping[int, tuple[int, ...]]
    subsampling: str | None
    jpeg_quality: int | None


def read_header(path: Path | str) -> Header:
    """Read the header of a JPEG, PNG or TIFF file without decoding a pixel.

    Malformed EXIF never raises: damaged fields are None. Raises InputError if the file cannot be read or is not an
    image.
    """
    with open_header(path) as (image, file):
        return _header(image, file)


def header_or_reason(path: Path | str) -> Header | str:
    """Return the header of a file, or the reason, without the path, why it cannot be read."""
    try:
        return read_header(path)
    except InputError as error:
        return str(error).removeprefix(f"{path} ").removeprefix("is ")


@contextmanager
def open_header(path: Path | str) -> Iterator[tuple[ImageFile.ImageFile, IO[bytes]]]:
    """Open a JPEG, PNG or TIFF file, and yield Pillow's image, not yet decoded, and the file.

    Errors that Pillow raises for damaged headers within the block become InputError.
    """
    check_regular(path)
    try:
        with Path(path).open("rb") as file, warnings.catch_warnings():
            # Pillow warns about corrupt EXIF, whose fields are None here, and about images too large to decode, which
            # does not matter because nothing is decoded.
            warnings.simplefilter("ignore", UserWarning)
            yield open_image(file, path), file
    except DAMAGED as error:
        if isinstance(error, InputError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "its header is damaged"
        raise InputError(f"{path} cannot be read as an image: {reason}") from None


def check_regular(path: Path | str) -> None:
    """Raise InputError for a path that is neither a file nor absent. Reading a pipe or a device may never end."""
    if not Path(path).is_file() and Path(path).exists():
        raise InputError(f"{path} cannot be read as an image: it is not a regular file")


def open_image(file: IO[bytes], path: Path | str) -> ImageFile.ImageFile:
    """Return Pillow's image, not yet decoded, of an open JPEG, PNG or TIFF file.

    Raises InputError, which names `path`, for another kind of file, and one of `DAMAGED` for a damaged header.
    """
    start = file.read(8)
    file.seek(0)
    for signature, reader in READERS.items():
        if start.startswith(signature):
            return reader(file)
    received = f"a file that begins with {start!r}" if start else "empty"
    raise InputError(f"{path} is {received}, not a JPEG, PNG or TIFF image")


def _header(image: ImageFile.ImageFile, file: IO[bytes]) -> Header:
    complete = _complete(image, file, file.tell())
    field = _fields(image, file)
    tables = {slot: tuple(table) for slot, table in getattr(image, "quantization", {}).items()}
    return Header(
        format=str(image.format),
        mode=image.mode,
        bits=_bits(image),
        width=image.width,
        height=image.height,
        complete=complete,
        make=decode_text(field(MAKE)),
        model=decode_text(field(MODEL)),
        software=decode_text(field(SOFTWARE)),
        device=decode_text(field(BODY_SERIAL_NUMBER)),
        f_number=_positive(field(F_NUMBER)),
        iso=_positive(field(ISO)),
        exposure_time=_positive(field(EXPOSURE_TIME)),
        taken_at=_date(field(TAKEN_AT)),
        exif_width=_positive_integer(field(EXIF_WIDTH)),
        exif_height=_positive_integer(field(EXIF_HEIGHT)),
        tables=tables,
        subsampling=SUBSAMPLINGS.get(get_sampling(image)) if isinstance(image, JpegImageFile) else None,
        jpeg_quality=estimate_quality(tables) if tables else None,
    )


def _fields(image: ImageFile.ImageFile, file: IO[bytes]) -> Callable[[int], Any]:
    """Return a look-up of EXIF fields by tag: None for an absent or damaged field.

    `image.getexif()` would decode every field, which takes most of the time of reading a header, and for a PNG the
    whole image in search of a late chunk.
    """
    stream = exif_stream(image, file)
    order, entries = exif_entries(stream)

    def look_up(tag: int) -> Any:
        return read_value(stream, order, entries[tag]) if tag in entries else None

    return look_up


def _bits(image: ImageFile.ImageFile) -> int:
    if isinstance(image, TiffImageFile):
        depth = image.tag_v2.get(258, 1)  # BitsPerSample
        return max(depth) if isinstance(depth, tuple) else depth
    if ";16" in str(image.tile) or image.mode.startswith("I"):
        return 16
    return 1 if image.mode == "1" else 8


def _complete(image: ImageFile.ImageFile, file: IO[bytes], scan: int) -> bool:
    """Whether the file contains the end of the image. `scan`: offset of the JPEG's entropy-coded data."""
    size = os.fstat(file.fileno()).st_size
    if isinstance(image, TiffImageFile):
        offsets, lengths = (image.tag_v2.get(old, image.tag_v2.get(new, ())) for old, new in ((273, 324), (279, 325)))
        pairs = zip(offsets, lengths, strict=False)
        return len(offsets) > 0 and all(offset + length <= size for offset, length in pairs)
    # Cameras append previews and maker's data, so the end marker is searched backwards from the end of the file. Within
    # entropy-coded data, FF is always followed by 00 or a restart marker, so FFD9 cannot occur there by chance.
    marker = b"\xff\xd9" if isinstance(image, JpegImageFile) else b"IEND\xaeB`\x82"
    end, step = size, 1 << 16
    while end > scan:
        begin = max(scan, end - step)
        file.seek(begin)
        if marker in file.read(end - begin + len(marker) - 1):
            return True
        end = begin
    return False


def _positive(value: Any) -> float | None:
    """Return a positive finite number, or None: cameras write 0 and x/0 for "unknown"."""
    try:
        number = float(first_value(value))
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _positive_integer(value: Any) -> int | None:
    number = _positive(value)
    return None if number is None or number != int(number) else int(number)


def _date(value: Any) -> str | None:
    found = DATE.match(decode_text(value) or "")
    if found is None:
        return None
    year, month, day, hour, minute, second = map(int, found.groups())
    if not (year >= 1826 and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60):
        return None
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
