"""The fingerprint of a device: the relative gain of its pixels, estimated from several of its photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from augment.decode import read_pixels
from competition.metadata.header import read_header
from competition.utils.atomic_files import atomic_write
from competition.utils.errors import InputError
from competition.utils.progress import with_progress
from submissions.fingerprints.match import correlate
from submissions.fingerprints.noise import SMALLEST_SIDE, Plane, noise_residual, remove_periodic

MIN_PHOTOS = 5  # fewer give no fingerprint worth the name, and no estimate of its own matches
FOLDS = 5  # parts of the photos; each is matched with the fingerprint of the others
FORMAT = 1
FIX = "make it with the command fingerprint build"


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """The fingerprint of one device.

    Attributes:
        name: of the device.
        pattern: relative gain of the pixels minus 1, without periodic parts, float32 (h, w).
        own_scores: scores of photos by this device with fingerprints from other photos by it, (photos,), see
            `submissions.fingerprints.match.Match.score`.
    """

    name: str
    pattern: Plane
    own_scores: NDArray[np.float64]


def build_fingerprint(name: str, photos: Sequence[Path]) -> tuple[Fingerprint, dict[str, str]]:
    """Estimate the fingerprint of a device by maximum likelihood: Σ residual · luminance / Σ luminance².

    Chen, Fridrich, Goljan & Lukáš (2008), "Determining image origin and integrity using sensor noise", equation 6.
    Photos of a bright, smooth scene such as the sky are best. Every photo is decoded twice, and memory is that of some
    twenty planes, whatever the number of photos.

    Args:
        name: of the device.
        photos: of one device, in the orientation of the sensor. Those that do not have the most frequent size are left
            out: they were cropped, scaled or rotated.

    Returns:
        The fingerprint, and the photos that were left out with the reason.

    Raises:
        InputError: fewer than `MIN_PHOTOS` photos are usable.
    """
    usable, skipped = _same_size(photos)
    sums: NDArray[np.float32] | None = None
    used: list[Path] = []
    for path in with_progress(usable, f"{name}: residuals", len(usable), "photo"):
        try:
            residual, levels = noise_residual(read_pixels(path))
        except InputError as error:
            skipped[str(path)] = str(error)
            continue
        sums = np.zeros((FOLDS, 2, *levels.shape), np.float32) if sums is None else sums
        sums[len(used) % FOLDS] += residual * levels, levels * levels
        used.append(path)
    if len(used) < MIN_PHOTOS or sums is None:
        reasons = "; ".join(f"{path}: {why}" for path, why in list(skipped.items())[:3])
        raise InputError(
            f"{len(used)} usable photos of one size, expected at least {MIN_PHOTOS} by one device"
            f"{f' ({reasons})' if reasons else ''}"
        )
    total = sums.sum(axis=0)
    patterns = [_estimate(total - part) for part in sums]
    own = [
        correlate(patterns[index % FOLDS], *noise_residual(read_pixels(path))).score
        for index, path in enumerate(with_progress(used, f"{name}: own scores", len(used), "photo"))
    ]
    return Fingerprint(name, _estimate(total), np.array(own)), skipped


def save_fingerprint(fingerprint: Fingerprint, path: Path) -> None:
    """Write a fingerprint to a NumPy archive, atomically. The pattern is kept in half precision."""
    with atomic_write(path) as partial, partial.open("wb") as stream:
        np.savez_compressed(
            stream,
            format=FORMAT,
            name=np.array(fingerprint.name),
            pattern=(fingerprint.pattern / fingerprint.pattern.std()).astype(np.float16),
            own_scores=fingerprint.own_scores,
        )


def load_fingerprint(path: Path) -> Fingerprint:
    """Read a file of `save_fingerprint`. Raises `InputError` if it is missing, damaged or of another kind."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            if "format" not in file or int(file["format"]) != FORMAT:
                raise InputError(
                    f"{path} is no fingerprint of this version; make it with the command fingerprint build"
                )
            pattern, own = file["pattern"].astype(np.float32), file["own_scores"].astype(np.float64)
            name = str(file["name"])
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; {FIX}") from None
    except InputError:
        raise
    except (BadZipFile, OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise InputError(f"{path} is no fingerprint ({error}); {FIX}") from None
    if pattern.ndim != 2 or min(pattern.shape) < SMALLEST_SIDE or own.ndim != 1 or len(own) < MIN_PHOTOS:
        raise InputError(f"{path} is damaged; {FIX}")
    return Fingerprint(name, pattern, own)


def _estimate(sums: NDArray[np.float32]) -> Plane:
    """The pattern from the sums of residual · luminance and luminance², (2, h, w)."""
    return remove_periodic(sums[0] / np.maximum(sums[1], 1))


def _same_size(photos: Sequence[Path]) -> tuple[list[Path], dict[str, str]]:
    """The photos of the most frequent size, and the others with the reason."""
    sizes: dict[Path, tuple[int, int]] = {}
    skipped: dict[str, str] = {}
    for path in photos:
        try:
            header = read_header(path)
        except InputError as error:
            skipped[str(path)] = str(error)
            continue
        sizes[path] = (header.width, header.height)
    found = list(sizes.values())
    common = max(sorted(set(found)), key=found.count, default=(0, 0))
    for path, size in sizes.items():
        if size != common:
            skipped[str(path)] = f"{size[0]}x{size[1]} pixels, most photos have {common[0]}x{common[1]}"
    return [path for path in sizes if str(path) not in skipped], skipped
