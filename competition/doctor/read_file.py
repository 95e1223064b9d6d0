"""Read one file for `doctor`. Worker processes import this module, so it loads little."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from competition.doctor.duplicates import perceptual_hash
from competition.metadata.header import Header, header_or_reason

SPLITS = ("train", "validation", "test")  # folders directly inside the examined one that name a split


@dataclass(frozen=True, slots=True)
class Photo:
    """A readable photo file.

    path: relative to the folder. size: bytes. camera: the one that the folder names, or None. split: train,
    validation or test. header: without its quantization `tables`. tables_digest: a digest of those. decode_error,
    looks: perceptual hash, see `competition.doctor.duplicates.perceptual_hash`; None if pixels were not decoded.
    """

    path: str
    size: int
    camera: str | None
    split: str
    header: Header
    tables_digest: str
    decode_error: str | None = None
    looks: int | None = None

    @property
    def group(self) -> str:
        """Photos of one group are compared: the camera that the folder names, else make and model of EXIF."""
        return self.camera or f"{self.header.make or '?'} {self.header.model or '?'}"


def read_photo(folder: Path, pixels: bool, path: str) -> Photo | str:
    """Read the file at `folder`/`path`, and decode it if `pixels`. Returns the reason if it is not an image."""
    file = folder / path
    header = header_or_reason(file)
    if isinstance(header, str):
        return header
    camera, split = camera_and_split(path)
    looks, decode_error = perceptual_hash(file) if pixels else (None, None)
    return Photo(
        path=path,
        size=file.stat().st_size,
        camera=camera,
        split=split,
        header=replace(header, tables={}),
        tables_digest=_digest(header.tables),
        decode_error=decode_error,
        looks=looks,
    )


def camera_and_split(path: str) -> tuple[str | None, str]:
    """Parse a path relative to the examined folder: `[split/[split/]][camera/…]file`. Test patches name no camera."""
    parts = path.split("/")
    split = parts.pop(0) if parts[0] in SPLITS else "train"
    if parts[0] == split and len(parts) > 2:  # an archive with a folder of its own name: train/train/<camera>
        del parts[0]
    return parts[0] if len(parts) > 1 and split != "test" else None, split


def sort_sides(width: int, height: int) -> tuple[int, int]:
    """(longer, shorter): some cameras store portrait photos upright, others do not."""
    return max(width, height), min(width, height)


def _digest(tables: Mapping[int, tuple[int, ...]]) -> str:
    return hashlib.blake2b(repr(sorted(tables.items())).encode(), digest_size=8).hexdigest()
