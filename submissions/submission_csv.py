"""The CSV files of a Kaggle test set: sample_submission.csv, quotas.csv, solution.csv and submission.csv, checked on
reading and before writing."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from competition.layout import test_folder
from competition.manipulation import UNALTERED
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from competition.utils.find_photos import find_photos
from competition.utils.tables import read_text_table

HEADER = ["fname", "camera"]
SOLUTION_COLUMNS = ["fname", "camera", "manipulation"]  # and optionally usage
QUOTA_COLUMNS = ["camera", "unaltered", "manipulated"]
PRIVATE, PUBLIC = "Private", "Public"  # values of the column usage
NAMES_SHOWN = 5  # in an error; further ones are counted


def read_expected_names(data_folder: Path | str) -> list[str]:
    """Read the file names that a submission must contain.

    They come from sample_submission.csv, or from the folder test/ if that file does not exist. Damaged images count,
    because Kaggle expects a prediction for them, too.

    Raises:
        InputError: neither exists, sample_submission.csv is damaged, the two differ, or the test images lie in an
            unknown folder.
    """
    sample, test = Path(data_folder) / "sample_submission.csv", test_folder(Path(data_folder))
    in_folder = [file.name for file in find_photos(test)] if test else []
    if not sample.is_file():
        if not in_folder:
            raise InputError(
                f"{data_folder} has neither sample_submission.csv nor images in test/; "
                "expected a folder in the Kaggle layout"
            )
        return in_folder
    names = read_text_table(sample, ["fname"], "restore it")["fname"].tolist()
    _check_none(f"{sample} lists files more than once", _repeated(names), "restore it")
    if in_folder:
        fix = "make the two agree"
        _check_none(f"{sample} lists files that {test} lacks", set(names) - set(in_folder), fix)
        _check_none(f"{test} holds files that {sample} lacks", set(in_folder) - set(names), fix)
    return names


def read_quotas(data_folder: Path | str, cameras: Sequence[str], is_manipulated: ArrayLike) -> NDArray[np.int64] | None:
    """Read quotas.csv: what the organizers say of the numbers of test images. None if there is no such file.

    Its columns are camera, unaltered and manipulated: the numbers of unaltered and of manipulated images.

    Args:
        data_folder: folder of the photos.
        cameras: the camera classes.
        is_manipulated: of the test images, (images,).

    Returns:
        Quotas (2, cameras) of the unaltered and of the manipulated images, for `submissions.balancing.assign_within`.

    Raises:
        InputError: the file is damaged, does not list each camera once, or does not add up to the test images.
    """
    path = Path(data_folder) / "quotas.csv"
    if not path.is_file():
        return None
    fix = f"give each camera one line with the columns {', '.join(QUOTA_COLUMNS)}, or remove the file"
    table = read_text_table(path, QUOTA_COLUMNS, fix)
    _check_none(f"{path} lists cameras more than once", _repeated(table["camera"].tolist()), fix)
    _check_none(f"{path} lacks cameras", set(cameras) - set(table["camera"]), fix)
    _check_none(f"{path} has cameras without training photos", set(table["camera"]) - set(cameras), fix)
    table = table.set_index("camera").loc[list(cameras)]
    manipulated = int(np.count_nonzero(is_manipulated))
    quotas = []
    for kind, images in zip(QUOTA_COLUMNS[1:], (np.size(is_manipulated) - manipulated, manipulated), strict=True):
        wrong = [value for value in table[kind] if not value.isdecimal()]
        _check_none(f"{path} has numbers of {kind} images that are not whole", wrong, fix)
        quotas.append(table[kind].astype(np.int64).to_numpy())
        if quotas[-1].sum() != images:
            raise InputError(
                f"the {kind} images in {path} add up to {quotas[-1].sum()}, but the test set has {images}; "
                "correct the file or remove it"
            )
    return np.stack(quotas)


def read_solution(data_folder: Path | str) -> pd.DataFrame | None:
    """Read solution.csv: columns fname, camera, manipulation, usage. None if there is none, as on Kaggle.

    Without a column `usage` all images count as Private.

    Raises:
        InputError: the file is damaged, lists a file twice, or has usages other than Private and Public.
    """
    path = Path(data_folder) / "solution.csv"
    if not path.is_file():
        return None
    solution = read_text_table(path, SOLUTION_COLUMNS, "restore it")
    _check_none(f"{path} lists files more than once", _repeated(solution["fname"].tolist()), "restore it")
    if "usage" not in solution:
        return solution.assign(usage=PRIVATE)
    usages = set(solution["usage"])
    if usages != {PRIVATE, PUBLIC}:
        raise InputError(
            f"{path} has the usages {', '.join(sorted(usages))}; expected both of {PRIVATE}, {PUBLIC}; restore it, "
            "or remove the column usage"
        )
    return solution


def check_test_set(data_folder: Path | str, manifest: pd.DataFrame) -> None:
    """Check that sample_submission.csv, quotas.csv and solution.csv fit the test images of a manifest of `data_folder`.

    Does nothing if the manifest has no test images.

    Raises:
        InputError: one of them is damaged, lists other images, or has a camera, a manipulation or a number of images
            that contradicts the manifest; or a test image cannot be read, so that no valid submission is possible.
    """
    test = manifest[manifest["split"] == "test"]
    if test.empty:
        return
    is_manipulated = {
        Path(path).name: manipulation != UNALTERED
        for path, manipulation in zip(test["path"], test["manipulation"], strict=True)
    }
    folder = Path(data_folder) / "test"
    unreadable = set(read_expected_names(data_folder)) - set(is_manipulated)
    _check_none(f"{folder} lacks readable images of files", unreadable, "restore them")
    cameras = sorted(manifest["camera"].dropna().unique())
    read_quotas(data_folder, cameras, test["manipulation"] != UNALTERED)
    solution = read_solution(data_folder)
    if solution is None:
        return
    path = Path(data_folder) / "solution.csv"
    in_solution = dict(zip(solution["fname"], solution["manipulation"] != UNALTERED, strict=True))
    fix = "make the two agree"
    _check_none(f"{path} lists files that {folder} lacks", set(in_solution) - set(is_manipulated), fix)
    _check_none(f"{folder} holds files that {path} lacks", set(is_manipulated) - set(in_solution), fix)
    different = [name for name, flag in in_solution.items() if flag != is_manipulated[name]]
    _check_none(f"{path} and the names of the files disagree on their manipulation", different, fix)
    unknown = set(solution["camera"]) - set(cameras)
    _check_none(f"{path} has unknown cameras", unknown, f"the training photos are by {', '.join(cameras)}")


def write_submission(
    names: Sequence[str] | NDArray[np.str_],
    labels: Sequence[str] | NDArray[np.str_],
    path: Path | str,
    known_labels: Collection[str],
    expected_names: Collection[str],
    overwrite: bool = True,
) -> None:
    """Write `labels[i]` as the camera of file `names[i]`.

    Raises:
        InputError: an expected file is missing, a file is repeated or not expected, a label is unknown, or `path` has
            another submission and `overwrite` is false. Nothing is written then.
    """
    if len(names) != len(labels):
        raise ValueError(f"expected one label for each name; got {len(names)} names and {len(labels)} labels")
    table = pd.DataFrame({"fname": list(map(str, names)), "camera": list(map(str, labels))})
    _check(table, "the submission", known_labels, expected_names)
    if not overwrite and Path(path).exists() and Path(path).read_text() != table.to_csv(index=False):
        raise InputError(f"{path} has another submission; give --force to replace it, or another file with --out")
    write_csv(table, path)


def check_submission(path: Path | str, known_labels: Collection[str], expected_names: Collection[str]) -> pd.DataFrame:
    """Read any submission, with the checks of `write_submission`: columns fname, camera."""
    fix = f"write it with the header {','.join(HEADER)}"
    table = read_text_table(Path(path), HEADER, fix)
    if list(table.columns) != HEADER:
        raise InputError(f"{path} has the header {','.join(table.columns)}; {fix}")
    _check(table, str(path), known_labels, expected_names)
    return table


def describe_quotas(labels: ArrayLike, is_manipulated: ArrayLike) -> pd.DataFrame:
    """Count the images of each camera, sorted by name: columns camera, unaltered, manipulated."""
    cameras, camera = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    flags = np.asarray(is_manipulated, dtype=bool)
    counts = [np.bincount(camera[part], minlength=len(cameras)) for part in (~flags, flags)]
    return pd.DataFrame({"camera": cameras, "unaltered": counts[0], "manipulated": counts[1]})


def _check(table: pd.DataFrame, what: str, known_labels: Collection[str], expected_names: Collection[str]) -> None:
    names, expected = table["fname"].tolist(), set(expected_names)
    _check_none(f"{what} lists files more than once", _repeated(names), "keep one row for each")
    _check_none(f"{what} lacks files", expected - set(names), "add a row for every file of the test set")
    _check_none(f"{what} lists files that are not in the test set", set(names) - expected, "remove them")
    unknown = set(table["camera"]) - set(known_labels)
    _check_none(f"{what} has unknown labels", unknown, f"use {', '.join(sorted(known_labels))}")


def _check_none(problem: str, offenders: Collection[str], fix: str) -> None:
    """Raise `InputError` if there are any offenders, naming the first `NAMES_SHOWN`."""
    if offenders:
        shown = ", ".join(repr(name) for name in sorted(offenders)[:NAMES_SHOWN])
        more = f" and {len(offenders) - NAMES_SHOWN} more" if len(offenders) > NAMES_SHOWN else ""
        raise InputError(f"{problem}: {shown}{more}; {fix}")


def _repeated(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
