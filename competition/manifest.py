"""The manifest: a folder of photos as a table, one row per photo.

The folder has the layout of the Kaggle competition, or another of `competition.layout`:

    DIR/train/<camera>/*.jpg           one folder per camera, at least two
    DIR/test/*_unalt.tif, *_manip.tif  (optional) patches, unaltered or manipulated
"""

from collections import Counter
from pathlib import Path

import pandas as pd

from competition.layout import TEST, Layout, find_layout
from competition.manipulation import UNALTERED, manipulation_from_name
from competition.metadata.collected import collected_devices
from competition.metadata.header import Header, header_or_reason
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from competition.utils.find_photos import PHOTO_SUFFIXES, find_photos
from competition.utils.parallel import parallel_map

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
FROM_HEADER = ("make", "model", "f_number", "iso", "exposure_time", "jpeg_quality", "software", "taken_at")
MAX_LISTED = 20  # file names in one message


def read_folder(folder: Path | str, jobs: int = 1) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read the manifest of a data folder.

    Args:
        folder: data folder in the layout above.
        jobs: number of processes that read headers.

    Returns:
        The manifest, and path → reason for the files that were skipped. The table has the columns and dtypes of
        `DTYPES` (null where unknown), sorted by path, training photos first; `split` is `train` or `test`. Test patches
        have a size and no camera. `device` comes from EXIF, or else from DIR/collected.csv. Skipped are files that are
        truncated, are not images, or lie where no photo is expected.

    Raises:
        InputError: The folder is missing or has photos of fewer than two cameras, the names of two files differ in
            suffix or case alone, a test name lacks `_unalt` or `_manip`, or an image is not 8-bit RGB.
    """
    folder = Path(folder)
    train, test, others = list_folder(folder)
    paths = train + test
    _check_duplicates(paths)
    _check_test_names(test)

    skipped = {path.relative_to(folder).as_posix(): reason for path, reason in others.items()}
    devices = collected_devices(folder)
    rows, unsupported = [], []
    for path, header in zip(paths, parallel_map(header_or_reason, paths, jobs, "headers"), strict=True):
        name = path.relative_to(folder).as_posix()
        if isinstance(header, str):
            skipped[name] = header
        elif not header.complete:
            skipped[name] = "truncated"
        elif (header.mode, header.bits) != ("RGB", 8):
            unsupported.append(f"{name} ({header.bits}-bit {header.mode})")
        else:
            row = {"path": name, "width": header.width, "height": header.height}
            details = _test_row(path) if name.startswith(f"{TEST}/") else _train_row(path, header, devices.get(name))
            rows.append(row | details)
    if unsupported:
        raise InputError(f"not 8-bit RGB: {_some(unsupported)}; convert or remove {len(unsupported)} file(s)")
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(DTYPES)
    cameras = table["camera"].dropna().unique()
    if len(cameras) < 2:
        raise InputError(
            f"{folder} has readable photos of {len(cameras)} camera(s), expected at least 2, each "
            "in a folder of its name" + (f"; {describe_skipped(skipped)}" if skipped else "")
        )
    return table, dict(sorted(skipped.items()))


def list_folder(folder: Path) -> tuple[list[Path], list[Path], dict[Path, str]]:
    """List a data folder by file names alone: training photos, test patches, and path → reason for all other files.

    Raises InputError for a folder without training photos, and as `competition.layout.find_layout`.
    """
    layout = find_layout(folder)
    train, others = _train_photos(layout)
    test, others_test = _photos(layout.test) if layout.test else ([], {})
    if not train:
        raise InputError(f"{layout.train} holds no photos; expected {layout.train}/<camera>/*.jpg")
    return train, test, others | others_test


def describe_skipped(skipped: dict[str, str]) -> str:
    """Return one line that counts and names the skipped files."""
    return f"skipped {len(skipped)} file(s): " + _some([f"{path} ({reason})" for path, reason in skipped.items()])


def write_manifest(table: pd.DataFrame, path: Path | str) -> None:
    """Write a manifest as CSV atomically; `load_manifest` returns the same table."""
    write_csv(table[list(COLUMNS)], path)


def load_manifest(path: Path | str) -> pd.DataFrame:
    """Read a file written by `write_manifest`. Raises InputError if it is missing or not a manifest."""
    try:
        table = pd.read_csv(path, dtype=DTYPES, keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    except (ValueError, OverflowError) as error:
        raise InputError(f"{path} is not a manifest ({str(error).splitlines()[0]})") from None
    if tuple(table.columns) != COLUMNS:
        raise InputError(f"{path} is not a manifest: its columns are {list(table.columns)}, expected {list(COLUMNS)}")
    return table


def check_same_photos(manifest: pd.DataFrame, folder: Path | str, jobs: int = 1) -> None:
    """Raise InputError unless `folder` holds all photos of a manifest, with the same headers."""
    found = read_folder(folder, jobs)[0].set_index("path").reindex(manifest["path"])
    columns = [name for name in COLUMNS if name not in ("path", "split")]
    expected = manifest.set_index("path")[columns]
    same = (found[columns].astype("object") == expected.astype("object")) | (found[columns].isna() & expected.isna())
    different = manifest.loc[~same.all(axis=1).to_numpy(), "path"]
    if len(different):
        raise InputError(
            f"{len(different)} of {len(manifest)} photos are missing in {folder} or differ from the manifest, such as "
            f"{different.iloc[0]}; give the folder with the same photos, or choose another --run NAME"
        )


def _some(names: list[str]) -> str:
    hidden = len(names) - MAX_LISTED
    return ", ".join(names[:MAX_LISTED]) + (f" and {hidden} more" if hidden > 0 else "")


def _visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def _photos(folder: Path) -> tuple[list[Path], dict[Path, str]]:
    """The photos directly in `folder`, sorted, and path → reason for everything else that is not hidden."""
    photos = find_photos(folder)
    others = {}
    for path in sorted(set(_visible(folder)).difference(photos)):
        wrong_suffix = f"its name does not end in {', '.join(sorted(PHOTO_SUFFIXES))}"
        others[path] = "a folder, where photos were expected" if path.is_dir() else wrong_suffix
    return photos, others


def _train_photos(layout: Layout) -> tuple[list[Path], dict[Path, str]]:
    photos: list[Path] = []
    skipped: dict[Path, str] = {}
    for path in layout.cameras:
        inside, others = _photos(path)
        photos += inside
        skipped |= others
    # Beside camera folders without `train` lie tables and `test`, which are not mistakes.
    stray = find_photos(layout.train) if layout.train == layout.folder else _visible(layout.train)
    skipped |= {path: "not inside a camera's folder" for path in stray if path not in layout.cameras}
    return photos, skipped


def _check_duplicates(paths: list[Path]) -> None:
    counts = Counter((path.parent, path.stem.casefold()) for path in paths)
    duplicates = [str(path) for path in paths if counts[path.parent, path.stem.casefold()] > 1]
    if duplicates:
        raise InputError(f"names that differ in suffix or case alone: {_some(duplicates)}; keep one of each")


def _check_test_names(test: list[Path]) -> None:
    unclear = [str(path) for path in test if manipulation_from_name(path) is None]
    if unclear:
        raise InputError(
            f"test names that do not say whether the patch was manipulated: {_some(unclear)}; "
            "they must end in _unalt or _manip before the suffix"
        )


def _train_row(path: Path, header: Header, collected_device: str | None) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(header, name) for name in FROM_HEADER}
    row["device"] = header.device or collected_device
    return row | {"camera": path.parent.name, "manipulation": UNALTERED, "split": "train"}


def _test_row(path: Path) -> dict[str, object]:
    return {"manipulation": manipulation_from_name(path), "split": "test"}
