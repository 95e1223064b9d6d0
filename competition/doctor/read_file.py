"""One file as the doctor sees it. This module runs in many processes, so it loads no more than it needs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from competition.doctor.duplicates import fingerprint
from competition.metadata.header import Header, read_header
from competition.utils.errors import InputError

# Folders right inside the examined one that say what their photographs are for.
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Photo:
    """One file that could be read.

    path: relative to the folder. size: bytes. camera: what the folder claims, None where it claims nothing.
    split: train, validation or test. header: with its `tables` left out, `table` is their digest. fault and
    fingerprint: from the pixels, where these were asked for (see `pixels`).
    """

    path: str
    size: int
    camera: str | None
    split: str
    header: Header
    table: str
    fault: str | None = None
    fingerprint: int | None = None

    @property
    def kind(self) -> str:
        """What photographs are compared by: the claimed camera, else the EXIF names."""
        return self.camera or f"{self.header.make or '?'} {self.header.model or '?'}"


def read_photo(folder: Path, pixels: bool, path: str) -> Photo | str:
    """The file at `folder`/`path`; of one that is no image, the reason. See `examine` for the rest."""
    place = folder / path
    try:
        header = read_header(place)
    except InputError as error:
        return str(error).removeprefix(f"{place} ").removeprefix("is ")
    camera, split = claims(path)
    mark, fault = fingerprint(place) if pixels else (None, None)
    return Photo(
        path=path,
        size=place.stat().st_size,
        camera=camera,
        split=split,
        header=replace(header, tables={}),
        table=_digest(header.tables),
        fault=fault,
        fingerprint=mark,
    )


def claims(path: str) -> tuple[str | None, str]:
    """The camera and the split that a path below the examined folder claims: `[split/][camera/…]file`."""
    parts = path.split("/")
    split = parts.pop(0) if parts[0] in SPLITS else "train"
    return parts[0] if len(parts) > 1 and split != "test" else None, split


def sides(width: int, height: int) -> tuple[int, int]:
    """(longer, shorter), as photographs are stored upright or not."""
    return max(width, height), min(width, height)


def _digest(tables: Mapping[int, tuple[int, ...]]) -> str:
    return hashlib.blake2b(repr(sorted(tables.items())).encode(), digest_size=8).hexdigest()
