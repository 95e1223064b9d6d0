"""The layout of a data folder: where the training photos and the test patches are.

The forms in which the competition's data are in use:

    DIR/train/<camera>/*.jpg          DIR/test/*.tif          as the competition describes them
    DIR/train/train/<camera>/*.jpg    DIR/test/test/*.tif     archives that contain a folder of their own name
    DIR/<camera>/*.jpg                DIR/test/*.tif          camera folders without `train`

The test patches are optional. Both columns can be combined freely.
"""

from dataclasses import dataclass
from pathlib import Path

from competition.utils.errors import InputError
from competition.utils.find_photos import find_photos

TRAIN, TEST = "train", "test"
NO_CAMERA = {TRAIN, TEST, "__MACOSX"}  # folders that are never cameras; macOS adds the last to archives
TABLES = ("sample_submission.csv", "solution.csv", "quotas.csv")


@dataclass(frozen=True)
class Layout:
    """Where the photos of a data folder are.

    Attributes:
        folder: the data folder.
        train: the folder whose folders are the cameras.
        test: the folder of the test patches; None if there is none.
    """

    folder: Path
    train: Path
    test: Path | None

    @property
    def cameras(self) -> list[Path]:
        """The folders of the cameras, sorted."""
        return _camera_folders(self.train)


def find_layout(folder: Path) -> Layout:
    """Find the training photos and the test patches of a data folder.

    Raises:
        InputError: there is no folder of cameras, an archive is not unpacked, or the test set would be lost: `folder`
            is an inner folder of a data folder with a test set, or the test patches lie in an unknown folder.
    """
    _check_not_inner(folder)
    for name in (TRAIN, TEST):
        if (folder / f"{name}.zip").is_file() and not (folder / name).is_dir():
            raise InputError(f"{folder}/{name}.zip is not unpacked; unpack it to {folder}/{name}")
    return Layout(folder, _train_folder(folder), test_folder(folder))


def test_folder(folder: Path) -> Path | None:
    """Return the folder of the test patches, `test` or `test/test`, or None if there is no test set.

    Raises InputError if the patches lie in another folder inside `test`, or in both.
    """
    test = folder / TEST
    if not test.is_dir():
        return None
    inner = _folders(test)
    if find_photos(test):
        if test / TEST in inner and find_photos(test / TEST):
            raise InputError(f"{test} and {test / TEST} both contain images; move all test images to {test}")
        return test
    if [path.name for path in inner] == [TEST]:
        return test / TEST
    if inner:
        raise InputError(
            f"{test} contains no images, but the folder {inner[0].name}: the test set would be lost; "
            f"move the test images to {test}"
        )
    return test


def describe_layout(layout: Layout) -> str:
    """Return one line: the cameras, the test patches and the tables of a data folder."""

    def place(path: Path) -> str:
        return "" if path == layout.folder else f" in {path.relative_to(layout.folder)}"

    parts = [f"{len(layout.cameras)} camera folders{place(layout.train)}"]
    if layout.test is None:
        parts.append("no test set")
    else:
        parts.append(f"{len(find_photos(layout.test))} test images{place(layout.test)}")
    parts += [name for name in TABLES if (layout.folder / name).is_file()]
    return f"{layout.folder}: {', '.join(parts)}"


def _check_not_inner(folder: Path) -> None:
    """Reject the folder `train` of a data folder with a test set, which would be lost."""
    outer = folder.resolve()
    while outer.name == TRAIN:
        outer = outer.parent
    lost = [name for name in (TEST, f"{TEST}.zip") if (outer / name).exists()]
    if outer != folder.resolve() and lost and not (folder / TEST).exists():
        raise InputError(
            f"{folder} contains only the training photos of {outer}: the test set {outer / lost[0]} would be lost; "
            f"pass {outer}"
        )


def _train_folder(folder: Path) -> Path:
    train = folder / TRAIN
    if train.is_dir():
        if (train / TRAIN).is_dir() and (train / TEST).is_dir():
            raise InputError(f"the test set {train / TEST} would be lost; pass {train}")
        inner = [path for path in _folders(train) if path.name not in NO_CAMERA - {TRAIN}]
        return train / TRAIN if inner == [train / TRAIN] and _folders(train / TRAIN) else train
    if any(map(find_photos, _camera_folders(folder))):
        return folder
    expected = f"expected {folder}/train/<camera>/*.jpg"
    deeper = [path for path in _folders(folder) if (path / TRAIN).is_dir()]
    archives = sorted(folder.glob("*.zip")) if folder.is_dir() else []
    for path in (*deeper, *archives):
        raise InputError(f"{folder} has no folder 'train'; {expected}, or pass {path}")
    raise InputError(f"{folder} has no folder 'train'; {expected}")


def _camera_folders(folder: Path) -> list[Path]:
    return [path for path in _folders(folder) if path.name not in NO_CAMERA]


def _folders(folder: Path) -> list[Path]:
    """The folders in `folder` that are not hidden, sorted; none if it is not a folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
