"""`submission.csv` as Kaggle takes it, header `fname,camera`: checked first, and never written wrong."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from competition.metadata.header import SUFFIXES
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from competition.utils.tables import read_text_table

HEADER = ["fname", "camera"]
SHOWN = 5  # offenders an error names before it only counts


def read_expected_names(data_folder: Path | str) -> list[str]:
    """File names to be answered, from `sample_submission.csv`, else from `test/`; they must not disagree.

    A damaged image counts as well: Kaggle wants an answer for it too.
    """
    sample, test = Path(data_folder) / "sample_submission.csv", Path(data_folder) / "test"
    in_folder = sorted(file.name for file in test.glob("[!.]*") if file.suffix.lower() in SUFFIXES)
    if not sample.is_file():
        if not in_folder:
            raise InputError(
                f"{data_folder} has neither sample_submission.csv nor images in test/; "
                f"expected a folder in the Kaggle layout"
            )
        return in_folder
    names = read_text_table(sample, ["fname"], "restore it")["fname"].tolist()
    _refuse(f"{sample} names files more than once", _repeated(names), "restore it")
    if in_folder:
        mend = "make the two agree"
        _refuse(f"{sample} names files that {test} lacks", set(names) - set(in_folder), mend)
        _refuse(f"{test} holds files that {sample} lacks", set(in_folder) - set(names), mend)
    return names


def write_submission(
    names: Sequence[str],
    labels: Sequence[str],
    path: Path | str,
    known_labels: Collection[str],
    expected_names: Collection[str],
) -> None:
    """Write `labels[i]` as the camera of file `names[i]`.

    InputError, and nothing written, unless every expected file is there exactly once, no other is, and every
    label is known.
    """
    if len(names) != len(labels):
        raise ValueError(f"expected one label for each name; got {len(names)} names and {len(labels)} labels")
    table = pd.DataFrame({"fname": list(map(str, names)), "camera": list(map(str, labels))})
    _check(table, "the submission", known_labels, expected_names)
    write_csv(table, path)


def check_submission(path: Path | str, known_labels: Collection[str], expected_names: Collection[str]) -> pd.DataFrame:
    """Read a submission that somebody made, with the checks of `write_submission`: columns fname, camera."""
    mend = f"make it again with the header {','.join(HEADER)}"
    table = read_text_table(Path(path), HEADER, mend)
    if list(table.columns) != HEADER:
        raise InputError(f"{path} has the header {','.join(table.columns)}; {mend}")
    _check(table, str(path), known_labels, expected_names)
    return table


def describe_quotas(labels: ArrayLike, is_manipulated: ArrayLike) -> pd.DataFrame:
    """How many images each camera got, by name: columns camera, unaltered, manipulated."""
    cameras, camera = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    flags = np.asarray(is_manipulated, dtype=bool)
    counts = [np.bincount(camera[part], minlength=len(cameras)) for part in (~flags, flags)]
    return pd.DataFrame({"camera": cameras, "unaltered": counts[0], "manipulated": counts[1]})


def _check(table: pd.DataFrame, what: str, known_labels: Collection[str], expected_names: Collection[str]) -> None:
    names, expected = table["fname"].tolist(), set(expected_names)
    _refuse(f"{what} answers files more than once", _repeated(names), "keep one answer for each")
    _refuse(f"{what} lacks answers for files", expected - set(names), "answer every file of the test set")
    _refuse(f"{what} answers files that are not in the test set", set(names) - expected, "leave them out")
    unknown = set(table["camera"]) - set(known_labels)
    _refuse(f"{what} has unknown labels", unknown, f"use {', '.join(sorted(known_labels))}")


def _refuse(problem: str, offenders: Collection[str], mend: str) -> None:
    if offenders:
        shown = ", ".join(repr(name) for name in sorted(offenders)[:SHOWN])
        more = f" and {len(offenders) - SHOWN} more" if len(offenders) > SHOWN else ""
        raise InputError(f"{problem}: {shown}{more}; {mend}")


def _repeated(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
