"""Detect splices in unlabeled photos: pictures of each, and a table of scores.

Tested by tests/commands/test_splices.py.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from augment.decode import read_pixels
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from competition.utils.find_photos import IMAGE_SUFFIXES, find_photos
from competition.utils.progress import with_progress
from submissions.splices.consistency import COUNT
from submissions.splices.detector import Encoder, detect
from submissions.splices.overlays import write_pictures

SCORES_FILE = "scores.csv"


def scan_photos(
    encoder: Encoder, photos: Sequence[Path], out: Path, count: int = COUNT, method: str = "shift"
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Detect splices in photos; write the pictures of each (see `write_pictures`) and `scores.csv` into `out`.

    Args:
        encoder: that embeds the patches.
        photos: files, or folders that are searched recursively, except for files in `out`.
        out: folder of the results, created with the first photo.
        count, method: see `submissions.splices.detector.detect`.

    Returns:
        The table that is written to scores.csv, with columns path, name (prefix of the names of the pictures), score,
        threshold (see `submissions.splices.detector.Detection`), verdict (consistent or inconsistent), width, height,
        patch and stride (pixels); and the photos that were skipped, path → reason.

    Raises:
        InputError: no photo can be used (nothing is written then), or `count` or `method` is invalid.
    """
    rows, skipped, names = [], dict[str, str](), set[str]()
    files = _files(photos, out)
    for path in with_progress(files, "photos", len(files), "photo"):
        try:
            pixels = read_pixels(path)
            grid = encoder.grid(pixels, count)
        except InputError as error:
            skipped[str(path)] = str(error).removeprefix(f"{path} ")
            continue
        detection = detect(encoder, pixels, count, method)
        name = _unique_name(path.stem, names)
        write_pictures(pixels, detection, out / name)
        size = {"width": grid.width, "height": grid.height, "patch": grid.patch, "stride": grid.stride}
        rows.append(
            {
                "path": str(path),
                "name": name,
                "score": round(detection.score, 6),
                "threshold": detection.threshold,
                "verdict": "consistent" if detection.is_consistent else "inconsistent",
                **size,
            }
        )
    if not rows:
        reasons = "; ".join(f"{path} {reason}" for path, reason in list(skipped.items())[:3])
        raise InputError(f"none of the {len(skipped)} files is a usable photo ({reasons or 'no images found'})")
    table = pd.DataFrame(rows)
    write_csv(table, out / SCORES_FILE)
    return table, skipped


def _files(photos: Sequence[Path], out: Path) -> list[Path]:
    """Every file once, in the given order; of folders, the photos outside `out`."""
    found: dict[Path, None] = {}
    for path in photos:
        files = find_photos(path, IMAGE_SUFFIXES, recursive=True)
        inside = [file for file in files if not file.resolve().is_relative_to(out.resolve())]
        found |= dict.fromkeys(inside if path.is_dir() else files)
    return list(found)


def _unique_name(stem: str, names: set[str]) -> str:
    """Return the stem, numbered if another photo has it (`sea`, `sea-2`), and add it to `names`.

    Case is ignored, because some file systems do not distinguish `Sea` from `sea`.
    """
    name, number = stem, 1
    while name.casefold() in names:
        number += 1
        name = f"{stem}-{number}"
    names.add(name.casefold())
    return name
