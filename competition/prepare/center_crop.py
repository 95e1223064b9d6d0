"""Losslessly crop one photo to its center. Worker processes import this module, so it loads little.

The crop is done on JPEG blocks without decoding them, so coefficients and quantization tables stay as they are.
libjpeg-turbo's transform does the work, as in `jpegtran -crop -copy all`, through the package `turbojpeg`: the only
wheel that contains this function (PyTurboJPEG needs the system's libjpeg-turbo 3; jpeglib copies every coefficient
through Python and takes five times as long). The transform reads every block, so it also finds damage that the header
does not show.
"""

import math
import shutil
from pathlib import Path

from competition.metadata.header import header_or_reason
from competition.utils.atomic_files import atomic_write, write_bytes
from competition.utils.errors import InputError

# Width and height in pixels of JPEG's minimum coded unit, by `Header.subsampling`. `DEFAULT_MCU` is a multiple of all
# other units in use.
MCU_SIZES = {"4:4:4": (8, 8), "4:2:2": (16, 8)}
DEFAULT_MCU = (16, 16)


def center_span(side: int, size: int, unit: int) -> tuple[int, int]:
    """First pixel and length of a center crop along one side that keeps the phase of every grid.

    Args:
        side: Pixels of the photo along this side.
        size: Pixels to keep at least.
        unit: Pixels of JPEG's minimum coded unit along this side.

    Returns:
        The first pixel, a multiple of `unit`, and the length, less than `size + 2 * lcm(unit, 5)`. A shorter side is
        kept as it is. See `competition.prepare.run` for the grids.
    """
    step = math.lcm(unit, 5)
    margin = max(0, side - size) // 2 // step * step
    return margin, side - 2 * margin


def crop_to_center(folder: Path, out: Path, size: int, name: str) -> tuple[str | int, ...] | str:
    """Losslessly crop one photo to its center, unless `out` has the crop already.

    Photos that are not JPEG, and those that are small enough, are copied.

    Returns:
        (name, left, top, width, height, bytes) as in `competition.prepare.run.DTYPES`, or the reason why the photo
        was skipped.
    """
    source, target = folder / name, out / name
    header = header_or_reason(source)
    if isinstance(header, str):
        return header
    if not header.complete:
        return "truncated"
    unit = MCU_SIZES.get(header.subsampling or "", DEFAULT_MCU)
    left, width = center_span(header.width, size, unit[0])
    top, height = center_span(header.height, size, unit[1])
    if header.format != "JPEG" or left == top == 0:
        left = top = 0
        copy_file(folder, out, name)
    elif not (target.exists() and _size(target) == (width, height)):
        try:
            cropped = crop_jpeg(source.read_bytes(), left, top, width, height)
        except InputError as error:
            return str(error)
        write_bytes(cropped, target)
    return name, left, top, header.width, header.height, target.stat().st_size


def cropped_bytes(photo: Path, size: int) -> float:
    """Return about how many bytes the center crop of a photo has, by its share of the area; 0 if it cannot be read."""
    header = header_or_reason(photo)
    if isinstance(header, str):
        return 0
    if header.format != "JPEG":
        return photo.stat().st_size
    return photo.stat().st_size * min(1, size / header.width) * min(1, size / header.height)


def crop_jpeg(data: bytes, left: int, top: int, width: int, height: int) -> bytes:
    """Losslessly crop a JPEG file.

    Markers (EXIF, color profile, comments) and quantization tables are kept. Pixels decode to the same values, except
    one or two along the border, where a decoder smooths chroma across it.

    Args:
        data: The file.
        left, top: First pixel as stored, multiples of the minimum coded unit (see `MCU_SIZES`).
        width, height: Pixels to keep.

    Returns:
        The cropped file.

    Raises:
        InputError: The file is damaged or the crop is not possible. The message does not name the file.
    """
    try:
        import turbojpeg
    except ImportError:
        raise InputError("cropping needs turbojpeg, which has no wheel for this machine; use an x86-64 one") from None
    try:
        return turbojpeg.transform(data, x=left, y=top, w=width, h=height, crop=True, perfect=False, optimize=True)
    except RuntimeError as error:  # the only type that it raises
        raise InputError(" ".join(str(error).split())) from None


def copy_file(folder: Path, out: Path, name: str) -> str | None:
    """Copy a file unchanged, unless `out` has it already. Returns the reason why it was skipped, or None."""
    source, target = folder / name, out / name
    if not source.is_file():
        return "not a regular file"
    if not (target.exists() and target.stat().st_size == source.stat().st_size):
        with atomic_write(target) as partial_copy:
            shutil.copyfile(source, partial_copy)
    return None


def _size(path: Path) -> tuple[int, int] | None:
    header = header_or_reason(path)
    return None if isinstance(header, str) else (header.width, header.height)
