"""The manifest: a folder of photographs as a table, one row per photograph.

The folder is in the layout of the Kaggle competition:

    DIR/train/<camera>/*.jpg          one folder per camera, at least two
    DIR/test/*_unalt.tif, *_manip.tif (optional) patches, unaltered or manipulated
"""

from collections import Counter
from pathlib import Path

import pandas as pd

from competition.collect.record import devices
from competition.metadata.header import SUFFIXES, Header, read_header
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from competition.utils.parallel import parallel_map

UNALTERED = "unaltered"
MANIPULATED = "manipulated"  # a test patch of which no more is known
ENDINGS = {"_unalt": UNALTERED, "_manip": MANIPULATED}

DTYPES = {
    "path": "str",  # relative to the data folder, with forward slashes
    "camera": "str",
    "device": "str",
    "make": "str",
    "model": "str",
    "f_number": "float64",
    "iso": "float64",
    "exposure_time": "float64",  # seconds
    "width": "int64",
    "height": "int64",
    "jpeg_quality": "float64",
    "software": "str",
    "taken_at": "str",  # YYYY-MM-DDTHH:MM:SS
    "manipulation": "str",
    "split": "str",  # train, validation or test
}
COLUMNS = tuple(DTYPES)


def read_folder(folder: Path | str, jobs: int = 1) -> tuple[pd.DataFrame, dict[str, str]]:
    """The manifest of `folder`, and the files that were skipped: path → reason.

    The table has the columns and dtypes of `DTYPES` (null where unknown), sorted by path, training
    photographs first; `split` is `train` or `test`. Test patches have a size and no camera. Skipped are files
    that are truncated, no image, or not where a photograph belongs. `device` is what EXIF says, else what
    `collect` recorded in DIR/collected.csv. `jobs`: processes that read.

    Raises `InputError` for a folder that is missing or has fewer than two cameras with photographs, two files
    whose names differ in suffix or case alone, a test name without `_unalt` or `_manip`, and images that are
    not 8-bit RGB.
    """
    folder = Path(folder)
    train, test, others = list_folder(folder)
    paths = train + test
    _check_duplicates(paths)
    _check_named(test)

    skipped = {path.relative_to(folder).as_posix(): why for path, why in others.items()}
    collected = devices(folder)
    rows, colored = [], []
    for path, header in zip(paths, parallel_map(_read, paths, jobs, "headers"), strict=True):
        name = path.relative_to(folder).as_posix()
        if isinstance(header, str):
            skipped[name] = header
        elif not header.complete:
            skipped[name] = "truncated"
        elif (header.mode, header.bits) != ("RGB", 8):
            colored.append(f"{name} ({header.bits}-bit {header.mode})")
        else:
            row = {"path": name, "width": header.width, "height": header.height}
            told = _test_row(path) if name.startswith("test/") else _train_row(path, header, collected.get(name))
            rows.append(row | told)
    if colored:
        raise InputError(f"not 8-bit RGB: {_some(colored)}; convert or remove {len(colored)} file(s)")
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(DTYPES)
    cameras = table["camera"].dropna().unique()
    if len(cameras) < 2:
        raise InputError(
            f"{folder}/train has readable photographs of {len(cameras)} camera(s), expected at least 2, each "
            "in a folder of its name" + (f"; {describe_skipped(skipped)}" if skipped else "")
        )
    return table, dict(sorted(skipped.items()))


def list_folder(folder: Path) -> tuple[list[Path], list[Path], dict[Path, str]]:
    """Training photographs and test patches by their names alone, sorted; and path → reason for what is neither.

    Raises `InputError` for a folder without training photographs.
    """
    if not (folder / "train").is_dir():
        raise InputError(f"{folder} has no folder 'train'; expected {folder}/train/<camera>/*.jpg")
    train, others = _train_paths(folder)
    test, others_test = _files(folder / "test") if (folder / "test").is_dir() else ([], {})
    if not train:
        raise InputError(f"{folder}/train holds no photographs; expected {folder}/train/<camera>/*.jpg")
    return train, test, others | others_test


def manipulation_of(path: Path | str) -> str | None:
    """What the name of a test patch says: `unaltered`, `manipulated`, or None where it says neither."""
    stem = Path(path).stem
    return next((kind for ending, kind in ENDINGS.items() if stem.endswith(ending)), None)


def describe_skipped(skipped: dict[str, str]) -> str:
    """One line that counts and names the skipped files."""
    return f"skipped {len(skipped)} file(s): " + _some([f"{path} ({why})" for path, why in skipped.items()])


def write_manifest(table: pd.DataFrame, path: Path | str) -> None:
    """Write the manifest as CSV, whole or not at all; `load_manifest` gives the same table back."""
    write_csv(table[list(COLUMNS)], path)


def load_manifest(path: Path | str) -> pd.DataFrame:
    """Read what `write_manifest` wrote. Raises `InputError` where the file is missing or is no manifest."""
    try:
        table = pd.read_csv(path, dtype=DTYPES, keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a manifest ({str(error).splitlines()[0]})") from None
    if tuple(table.columns) != COLUMNS:
        raise InputError(f"{path} is not a manifest: its columns are {list(table.columns)}, expected {list(COLUMNS)}")
    return table


def _some(names: list[str], most: int = 20) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _files(folder: Path) -> tuple[list[Path], dict[Path, str]]:
    """The photographs right inside `folder`, sorted; all else there but hidden files, with a reason."""
    photographs, others = [], {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            others[path] = "a folder, where photographs were expected"
        elif path.suffix.lower() not in SUFFIXES:
            others[path] = f"its name does not end in {', '.join(sorted(SUFFIXES))}"
        else:
            photographs.append(path)
    return photographs, others


def _train_paths(folder: Path) -> tuple[list[Path], dict[Path, str]]:
    photographs: list[Path] = []
    skipped: dict[Path, str] = {}
    for path in sorted((folder / "train").iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            inside, others = _files(path)
            photographs += inside
            skipped |= others
        else:
            skipped[path] = "not inside a camera's folder"
    return photographs, skipped


def _check_duplicates(paths: list[Path]) -> None:
    counts = Counter((path.parent, path.stem.casefold()) for path in paths)
    twice = [str(path) for path in paths if counts[path.parent, path.stem.casefold()] > 1]
    if twice:
        raise InputError(f"names that differ in suffix or case alone: {_some(twice)}; keep one of each")


def _check_named(test: list[Path]) -> None:
    unnamed = [str(path) for path in test if manipulation_of(path) is None]
    if unnamed:
        raise InputError(
            f"test names that do not say whether the patch was manipulated: {_some(unnamed)}; "
            "they must end in _unalt or _manip before the suffix"
        )


def _train_row(path: Path, header: Header, collected_device: str | None) -> dict[str, object]:
    told = (
        "make",
        "model",
        "f_number",
        "iso",
        "exposure_time",
        "jpeg_quality",
        "software",
        "taken_at",
    )
    row: dict[str, object] = {name: getattr(header, name) for name in told}
    row["device"] = header.device or collected_device
    return row | {"camera": path.parent.name, "manipulation": UNALTERED, "split": "train"}


def _test_row(path: Path) -> dict[str, object]:
    return {"manipulation": manipulation_of(path), "split": "test"}


def _read(path: Path) -> Header | str:
    """The header; of a file that has none, the reason."""
    try:
        return read_header(path)
    except InputError as error:
        return str(error).removeprefix(f"{path} ").removeprefix("is ")
