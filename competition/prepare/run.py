"""Prepare a folder: crop every training photo to its center, so that training decodes fewer pixels.

Patches are cut around the center of photos of twelve megapixels, so most decoded pixels are never used. Training from
a prepared folder sees the same pixels: the center of a prepared photo is the center of the original, and all grids
that patches are aligned to keep their phase:

- the JPEG blocks, because a crop starts at the start of a block;
- the sample positions of resizing: by 4/5 they repeat every 5 pixels, by 1/2 and 3/2 every 2;
- the parity of each side, because equal margins are cut off at both ends.
"""

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from competition.manifest import list_folder
from competition.metadata.collected import RECORD_NAME
from competition.prepare.center_crop import copy_file, crop_to_center, cropped_bytes
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from competition.utils.find_photos import find_photos
from competition.utils.free_space import check_disk
from competition.utils.parallel import parallel_map

DEFAULT_SIZE = 1088  # pixels: a patch of 512 before halving has 1024; the kernel and a clean border need 20 per end
PHOTOS_PER_TASK = 8  # about a second of work
SAMPLE = 200  # photos from which the size of all crops is estimated
COPIED_FILES = ("sample_submission.csv", "solution.csv", "quotas.csv", "virtual.json", RECORD_NAME)

DTYPES = {
    "path": "str",  # relative to the folder, with forward slashes
    "crop_left": "int64",  # first pixel of the crop in the original, as stored
    "crop_top": "int64",
    "width": "int64",  # of the original
    "height": "int64",
    "bytes": "int64",  # of the prepared file
}


def prepare(
    folder: Path | str,
    out: Path | str,
    size: int = DEFAULT_SIZE,
    jobs: int = 1,
    only: Collection[str] | None = None,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Fill `out` with the center crops of the training photos of `folder`, under the same names.

    At least `size` pixels of each side of a JPEG photo are kept. Smaller photos, other formats, test patches and
    `COPIED_FILES` are copied. Files that `out` has already are not made again, so a killed run continues where it
    stopped.

    Args:
        folder: A data folder in the layout of `competition.manifest`.
        out: The prepared folder, in the same layout.
        size: Pixels of each side to keep at least.
        jobs: Number of processes, -1 for one per core.
        only: Paths of the photos to keep; default: all.

    Returns:
        A table with the columns of `DTYPES`, one row per training photo, also written to `out`/prepared.csv; and
        path → reason for files that were skipped.

    Raises:
        InputError: One folder contains the other, `only` names a missing photo, or `out` has photos that do not
            belong there, or the disk has too little space for the files that are missing.
    """
    folder, out = Path(folder), Path(out)
    _check_not_nested(folder, out)
    train, test, others = list_folder(folder)
    names = [path.relative_to(folder).as_posix() for path in train]
    if only is not None:
        missing = sorted(set(only).difference(names))
        if missing:
            raise InputError(f"{folder} has no photo {missing[0]}; use the manifest of this folder")
        names = [name for name in names if name in only]
    copied = [path.relative_to(folder).as_posix() for path in test]
    _check_no_foreign_photos(out, {*names, *copied})
    copied += [name for name in COPIED_FILES if (folder / name).is_file()]

    check_disk(out, _missing_bytes(folder, out, size, names, copied), f"preparing {len(names)} photos")
    skipped = {path.relative_to(folder).as_posix(): why for path, why in others.items()}
    rows = []
    crop = partial(crop_to_center, folder, out, size)
    for name, result in zip(names, parallel_map(crop, names, jobs, "photos", PHOTOS_PER_TASK), strict=True):
        if isinstance(result, str):
            skipped[name] = result
        else:
            rows.append(result)
    copy = partial(copy_file, folder, out)
    reasons = zip(copied, parallel_map(copy, copied, jobs, "test patches"), strict=True)
    skipped |= {name: reason for name, reason in reasons if reason is not None}
    table = pd.DataFrame(rows, columns=list(DTYPES)).astype(DTYPES)
    write_csv(table, out / "prepared.csv")
    return table, dict(sorted(skipped.items()))


def _check_not_nested(folder: Path, out: Path) -> None:
    source, target = folder.resolve(), out.resolve()
    if source == target or source in target.parents or target in source.parents:
        raise InputError(f"{out} and {folder} are the same folder or nested; choose a folder beside {folder}")


def _missing_bytes(folder: Path, out: Path, size: int, names: Sequence[str], copied: Sequence[str]) -> float:
    """The bytes of the files that `out` lacks. Those of the crops are estimated from a sample."""
    missing = [name for name in names if not (out / name).exists()]
    sample = missing[:: len(missing) // SAMPLE + 1]
    crops = sum(cropped_bytes(folder / name, size) for name in sample) * len(missing) / max(1, len(sample))
    return crops + sum(
        (folder / name).stat().st_size for name in copied if (folder / name).is_file() and not (out / name).exists()
    )


def _check_no_foreign_photos(out: Path, names: Collection[str]) -> None:
    """Refuse photos of another run in `out`: they would be trained on."""
    if not out.is_dir():
        return
    present = {path.relative_to(out).as_posix() for path in find_photos(out, recursive=True)}
    foreign = sorted(present.difference(names))
    if foreign:
        raise InputError(
            f"{out} has {len(foreign)} photo(s) that do not belong there, the first is {foreign[0]}; "
            "choose another folder or remove them"
        )
