"""The middle of one photograph, cut out losslessly. Runs in many processes, so it loads no more than it needs."""

import math
import shutil
from pathlib import Path

from competition.metadata.header import read_header
from competition.prepare.lossless import OTHER_UNIT, UNITS, crop_jpeg
from competition.utils.atomic_files import atomic_write, write_bytes
from competition.utils.errors import InputError


def center_window(side: int, size: int, unit: int) -> tuple[int, int]:
    """First pixel and length of the window of at least `size` pixels that has all grids of a side of `side` pixels.

    `unit`: that of JPEG along this side. The length is below `size + 2 * lcm(unit, 5)`; a side that short is
    kept whole.
    """
    step = math.lcm(unit, 5)
    margin = max(0, side - size) // 2 // step * step
    return margin, side - 2 * margin


def crop_to_center(folder: Path, out: Path, size: int, name: str) -> tuple[str | int, ...] | str:
    """A row of the table, when the file is in `out`; or why it is not."""
    source, target = folder / name, out / name
    try:
        header = read_header(source)
        if not header.complete:
            return "truncated"
        unit = UNITS.get(header.subsampling or "", OTHER_UNIT)
        left, width = center_window(header.width, size, unit[0])
        top, height = center_window(header.height, size, unit[1])
        if header.format != "JPEG" or left == top == 0:
            left = top = 0
            copy(folder, out, name)
        elif not (target.exists() and _size(target) == (width, height)):
            write_bytes(crop_jpeg(source.read_bytes(), left, top, width, height), target)
    except InputError as error:
        return str(error).removeprefix(f"{source} ").removeprefix("is ")
    return name, left, top, header.width, header.height, target.stat().st_size


def _size(path: Path) -> tuple[int, int]:
    header = read_header(path)
    return header.width, header.height


def copy(folder: Path, out: Path, name: str) -> None:
    """Copy a file as it is, unless `out` holds it already."""
    source, target = folder / name, out / name
    if not (target.exists() and target.stat().st_size == source.stat().st_size):
        with atomic_write(target) as partial_copy:
            shutil.copyfile(source, partial_copy)
