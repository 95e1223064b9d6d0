"""Search for photos in folders, by suffix. Hidden files and folders are left out."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import NoReturn

from competition.utils.errors import InputError

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".tif", ".tiff", ".png"})
IMAGE_SUFFIXES = PHOTO_SUFFIXES | {".bmp"}  # splice data sets also hold BMP files


def find_photos(path: Path | str, suffixes: Collection[str] = PHOTO_SUFFIXES, *, recursive: bool = False) -> list[Path]:
    """Return the photos in a folder, sorted by path; for a file, the file itself.

    Args:
        path: folder, or a file that the user named, which is returned whatever its suffix.
        suffixes: lower-case suffixes of photos. The case of a file's suffix is ignored.
        recursive: also search the folders below.
    """
    path = Path(path)
    if not path.is_dir():
        return [path]
    found = (path / name for name in list_files(path, recursive=recursive))
    return sorted(file for file in found if file.suffix.lower() in suffixes)


def list_files(folder: Path | str, *, recursive: bool = True) -> list[str]:
    """Return the files in a folder as paths relative to it, with forward slashes, sorted as text.

    Raises InputError for a folder that cannot be read.
    """
    found: list[str] = []
    for place, folders, names in os.walk(folder, onerror=_raise):
        inside = Path(place).relative_to(folder)
        found += [(inside / name).as_posix() for name in names if not name.startswith(".")]
        folders[:] = [name for name in folders if recursive and not name.startswith(".")]
    return sorted(found)


def _raise(error: OSError) -> NoReturn:
    raise InputError(f"the folder {error.filename} cannot be read ({error.strerror})") from None
