"""Photographs that nobody has labelled, judged one by one, with pictures and a table."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from augment.decode import read_pixels
from competition.forgeries.layouts import SUFFIXES
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from submissions.splices.detector import Encoder, detect
from submissions.splices.overlays import write_pictures

SCORES = "scores.csv"


def scan_photos(
    encoder: Encoder, photos: Sequence[Path], out: Path, count: int = 30, method: str = "shift"
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Judge each photograph and write its pictures, see `splice_pictures.write_pictures`, and `scores.csv` into `out`.

    Args:
        encoder: whose patches are compared.
        photos: files, or folders that are searched to the bottom, but for what lies in `out`.
        out: folder of what is written; made when the first photograph is judged.
        count, method: see `judging.judge`.

    Returns:
        The table, which is also scores.csv: path, name (with which its pictures begin), score, width, height, patch,
        stride, all in pixels. And what was skipped: path → reason.

    Raises:
        InputError: no photograph could be used (then nothing is written), or what `judge` refuses.
    """
    rows, skipped, taken = [], dict[str, str](), set[str]()
    for path in tqdm(_files(photos, out), desc="photographs", unit="photo"):
        try:
            pixels = read_pixels(path)
            grid = encoder.grid(pixels, count)
        except InputError as error:
            skipped[str(path)] = str(error).removeprefix(f"{path} ")
            continue
        detection = detect(encoder, pixels, count, method)
        name = _free_name(path.stem, taken)
        write_pictures(pixels, detection, out / name)
        size = {"width": grid.width, "height": grid.height, "patch": grid.patch, "stride": grid.stride}
        rows.append({"path": str(path), "name": name, "score": round(detection.score, 6), **size})
    if not rows:
        reasons = "; ".join(f"{path} {why}" for path, why in list(skipped.items())[:3])
        raise InputError(
            f"none of {len(skipped)} files is a photograph that can be used ({reasons or 'no images found'})"
        )
    table = pd.DataFrame(rows)
    write_csv(table, out / SCORES)
    return table, skipped


def _files(photos: Sequence[Path], out: Path) -> list[Path]:
    """Every photograph once, in the order given."""

    def found() -> Iterator[Path]:
        for path in photos:
            if path.is_dir():
                inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
                yield from (file for file in inside if not file.resolve().is_relative_to(out.resolve()))
            else:
                yield path

    return list(dict.fromkeys(found()))


def _free_name(stem: str, taken: set[str]) -> str:
    """The stem, numbered where another photograph has it: `sea`, `sea-2`. Some file systems take `Sea` for `sea`."""
    name, number = stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name.casefold())
    return name
