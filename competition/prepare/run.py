"""Keeping the middle of each photograph, so that training need not decode what it never looks at.

Patches are cut around the center of photographs of twelve megapixels, of which most is decoded for nothing. A
prepared folder holds the centers, cut out losslessly, and training from it sees the same pixels: the center of
a prepared photograph is the center of the original, and all grids that a patch can be aligned to go on:

- the JPEG blocks, because a window begins where one does;
- the sample positions of resizing: by 4/5 they repeat every 5 pixels, by 1/2 and 3/2 every 2;
- the parity of each side, as equal margins are cut off at both ends.
"""

from collections.abc import Collection
from functools import partial
from pathlib import Path

import pandas as pd

from competition.collect.record import NAME as COLLECTED
from competition.manifest import list_folder
from competition.prepare.center_crop import copy, crop_to_center
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from competition.utils.parallel import parallel_map

SIZE = 1088  # pixels: a patch of 512 before halving is 1024, its kernel and a clean border need 20 more at each end
TASKS_AT_ONCE = 8  # photographs handed to a process: about a second of work
SUBMISSIONS = ("sample_submission.csv", "solution.csv", COLLECTED)  # small files that go along

DTYPES = {
    "path": "str",  # relative to the folder, with forward slashes
    "crop_left": "int64",  # where the window begins in the original, in pixels as stored
    "crop_top": "int64",
    "width": "int64",  # of the original
    "height": "int64",
    "bytes": "int64",  # of the prepared file
}


def prepare(
    folder: Path | str, out: Path | str, size: int = SIZE, jobs: int = 1, only: Collection[str] | None = None
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Fill `out` with the centers of the training photographs of `folder`; what was done, and what was skipped.

    `folder` is in the manifest's layout, and so is `out`, under the same names. Of JPEG photographs at least
    `size` pixels of each side are kept; smaller ones and other formats are copied, as are test patches and
    the files of `SUBMISSIONS`. `only`: paths of the photographs to keep, default all. Returns a table with
    the columns of `DTYPES`, one row for each training photograph, which is also written as
    `out`/prepared.csv, and path → reason for the files that cannot be read to their end.

    What `out` already holds is not made again, so a killed run goes on where it was. Raises `InputError`
    where one folder lies in the other, and where `out` holds photographs that are not to be in it.
    """
    folder, out = Path(folder), Path(out)
    _check_not_nested(folder, out)
    train, test, others = list_folder(folder)
    names = [path.relative_to(folder).as_posix() for path in train]
    if only is not None:
        missing = sorted(set(only).difference(names))
        if missing:
            raise InputError(f"{folder} has no photograph {missing[0]}; the list was made for another folder")
        names = [name for name in names if name in only]
    _check_no_foreign_files(out, names)

    skipped = {path.relative_to(folder).as_posix(): why for path, why in others.items()}
    rows = []
    for name, done in zip(
        names,
        parallel_map(partial(crop_to_center, folder, out, size), names, jobs, "photographs", TASKS_AT_ONCE),
        strict=True,
    ):
        if isinstance(done, str):
            skipped[name] = done
        else:
            rows.append(done)
    copied = [path.relative_to(folder).as_posix() for path in test]
    copied += [name for name in SUBMISSIONS if (folder / name).is_file()]
    for _ in parallel_map(partial(copy, folder, out), copied, jobs, "test patches"):
        pass
    table = pd.DataFrame(rows, columns=list(DTYPES)).astype(DTYPES)
    write_csv(table, out / "prepared.csv")
    return table, dict(sorted(skipped.items()))


def _check_not_nested(folder: Path, out: Path) -> None:
    source, target = folder.resolve(), out.resolve()
    if source == target or source in target.parents or target in source.parents:
        raise InputError(f"{out} and {folder} lie one in the other; choose a folder beside {folder}")


def _check_no_foreign_files(out: Path, names: Collection[str]) -> None:
    """A training photograph of another run would be trained on."""
    if not (out / "train").is_dir():
        return
    there = {path.relative_to(out).as_posix() for path in (out / "train").glob("*/[!.]*")}
    strangers = sorted(there.difference(names))
    if strangers:
        raise InputError(
            f"{out} holds {len(strangers)} photograph(s) that do not belong there, the first is {strangers[0]}; "
            "choose another folder or remove them"
        )
