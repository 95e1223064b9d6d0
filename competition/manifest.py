"""The manifest: a folder of photographs as a table, one row per photograph.

The folder is in the layout of the Kaggle competition:

    DIR/train/<camera>/*.jpg          one folder per camera, at least two
    DIR/test/*_unalt.tif, *_manip.tif (optional) patches, unaltered or manipulated
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import joblib
import pandas as pd
from tqdm import tqdm

from competition.errors import InputError
from competition.files import write_csv
from competition.photographs import SUFFIXES, Header, read_header

UNALTERED = "unaltered"
MANIPULATED = "manipulated"  # a test patch of which no more is known

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

CHUNK = 64  # photographs per task: some 0.1 s of work, so that handing tasks out costs little
PROGRESS_FROM = 1000


def read_folder(folder: Path | str, jobs: int = 1) -> tuple[pd.DataFrame, dict[str, str]]:
    """The manifest of `folder`, and the files that were skipped: path → reason.

    The table has the columns and dtypes of `DTYPES` (null where unknown), sorted by path, training
    photographs first; `split` is `train` or `test`. Test patches have a size and no camera. Skipped are files
    that are truncated, no image, or not where a photograph belongs. `jobs`: processes that read.

    Raises `InputError` for a folder that is missing or has fewer than two cameras with photographs, two files
    whose names differ in suffix or case alone, a test name without `_unalt` or `_manip`, and images that are
    not 8-bit RGB.
    """
    folder = Path(folder)
    if not (folder / "train").is_dir():
        raise InputError(f"{folder} has no folder 'train'; expected {folder}/train/<camera>/*.jpg")
    train, others = _train_paths(folder)
    test, others_test = _files(folder / "test") if (folder / "test").is_dir() else ([], {})
    paths, others = train + test, others | others_test
    if not train:
        raise InputError(f"{folder}/train holds no photographs; expected {folder}/train/<camera>/*.jpg")
    _refuse_duplicates(paths)
    kinds = {path: _manipulation(path) for path in test}

    skipped = {path.relative_to(folder).as_posix(): why for path, why in others.items()}
    rows, coloured = [], []
    for path, header in zip(paths, _headers(paths, jobs), strict=True):
        name = path.relative_to(folder).as_posix()
        if isinstance(header, str):
            skipped[name] = header
        elif not header.complete:
            skipped[name] = "truncated"
        elif (header.mode, header.bits) != ("RGB", 8):
            coloured.append(f"{name} ({header.bits}-bit {header.mode})")
        else:
            row = {"path": name, "width": header.width, "height": header.height}
            rows.append(row | (_test_row(kinds[path]) if path in kinds else _train_row(path, header)))
    if coloured:
        raise InputError(f"not 8-bit RGB: {_some(coloured)}; convert or remove {len(coloured)} file(s)")
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(DTYPES)
    cameras = table["camera"].dropna().unique()
    if len(cameras) < 2:
        raise InputError(
            f"{folder}/train has readable photographs of {len(cameras)} camera(s), expected at least 2, each "
            "in a folder of its name" + (f"; {describe_skipped(skipped)}" if skipped else "")
        )
    return table, dict(sorted(skipped.items()))


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
        raise InputError(
            f"{path} is not a manifest: its columns are {list(table.columns)}, expected {list(COLUMNS)}"
        )
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


def _refuse_duplicates(paths: list[Path]) -> None:
    counts = Counter((path.parent, path.stem.casefold()) for path in paths)
    twice = [str(path) for path in paths if counts[path.parent, path.stem.casefold()] > 1]
    if twice:
        raise InputError(f"names that differ in suffix or case alone: {_some(twice)}; keep one of each")


def _manipulation(path: Path) -> str:
    for ending, manipulation in (("_unalt", UNALTERED), ("_manip", MANIPULATED)):
        if path.stem.endswith(ending):
            return manipulation
    raise InputError(
        f"{path} must end in _unalt or _manip before its suffix, to say whether it was manipulated; rename it"
    )


def _train_row(path: Path, header: Header) -> dict[str, object]:
    told = (
        "device",
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
    return row | {"camera": path.parent.name, "manipulation": UNALTERED, "split": "train"}


def _test_row(manipulation: str) -> dict[str, object]:
    return {"manipulation": manipulation, "split": "test"}


def _read(paths: list[Path]) -> list[Header | str]:
    """Headers; for a file that has none, the reason."""
    headers: list[Header | str] = []
    for path in paths:
        try:
            headers.append(read_header(path))
        except InputError as error:
            headers.append(str(error).removeprefix(f"{path} "))
    return headers


def _headers(paths: list[Path], jobs: int) -> Iterator[Header | str]:
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    done = joblib.Parallel(n_jobs=jobs, return_as="generator")(
        joblib.delayed(_read)(chunk) for chunk in chunks
    )
    with tqdm(
        total=len(paths), desc="headers", unit="photo", disable=len(paths) <= PROGRESS_FROM
    ) as progress:
        for headers in done:
            yield from headers
            progress.update(len(headers))
