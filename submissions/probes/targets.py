"""Targets of linear probes: photos with a label each, and how patches are cropped from them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augment.crops import center_offset, random_corner
from augment.lens_distortion import COEFFICIENTS, CORNERS, distorted_patch
from competition.forgeries.datasets import open_dataset
from competition.settings import SETTINGS, UNKNOWN, assign_bins, bin_edges, bin_names
from competition.utils.errors import InputError, unknown_name

RADIAL, AUTHENTIC = "radial-distortion", "authentic"
TARGETS = ("camera", "make", *SETTINGS, RADIAL, AUTHENTIC)
BINS = 3  # of a setting
VALIDATION_SHARE = 0.3  # of the images of a data set of splices, which has no split of its own
MIN_TRAINING_PHOTOS = 2  # of each class, so that the regularization can be chosen by cross-validation

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Sample:
    """Photos with one label each.

    Attributes:
        folder: of the photos.
        names: paths relative to `folder`, (photos,).
        classes: class names.
        labels: indices into `classes`, (photos,).
        is_validation: boolean (photos,); the probe is fitted on the other photos and scored on these.
        groups: (photos,); photos of a group stay together in cross-validation.
        crop: takes the pixels of a photo, uint8 (height, width, 3), and its index in the table of photos; returns its
            patches, uint8 (patches, side, side, 3).
        notes: what a reader of the scores must know.
    """

    folder: Path
    names: NDArray[np.str_]
    classes: tuple[str, ...]
    labels: NDArray[np.intp]
    is_validation: NDArray[np.bool_]
    groups: NDArray[np.str_]
    crop: Callable[[Pixels, int], Pixels]
    notes: tuple[str, ...]


def check_target(target: str) -> None:
    """Raise `InputError`, listing the known targets, for an unknown one."""
    if target not in TARGETS:
        raise unknown_name("target", target, TARGETS)


def photo_sample(target: str, table: pd.DataFrame, folder: Path, side: int, patches: int, seed: int) -> Sample:
    """Label the photos of a run for any target except `authentic`.

    Photos without a label are left out. In cross-validation, photos of a device stay together in classes with several
    known devices. The coefficients of radial distortion are drawn at random, equally often, and their patches lie near
    the corners. The patches of other targets are the center and random positions.

    Args:
        target: one of `TARGETS`.
        table: manifest of the run. The probe is scored on its validation photos.
        folder: of the photos.
        side: of a patch, pixels.
        patches: number of patches of each photo.
        seed: of the positions and the coefficients.

    Raises:
        InputError: the target is unknown, or there are too few classes or photos.
    """
    check_target(target)
    if target == RADIAL and patches > CORNERS:
        raise InputError(f"expected --patches of at most {CORNERS}, the corners of a photo; received {patches}")
    is_validation = (table["split"] == "validation").to_numpy()
    rng = np.random.default_rng(seed)
    names, codes = _draw_distortions(is_validation, rng) if target == RADIAL else _manifest_classes(target, table)
    known = codes != UNKNOWN
    notes = () if known.all() else (f"{(~known).sum()} of {len(table)} photos have no known {target}",)
    present, labels = np.unique(codes[known], return_inverse=True)

    def crop(pixels: Pixels, index: int) -> Pixels:
        if target == RADIAL:
            k1 = COEFFICIENTS[codes[index]]
            return np.stack([distorted_patch(pixels, k1, side, corner) for corner in range(patches)])
        return _crop_patches(pixels, side, patches, (seed, index))

    sample = Sample(
        folder,
        table.loc[known, "path"].to_numpy(dtype=np.str_),
        tuple(names[code] for code in present),
        labels,
        is_validation[known],
        _groups(table[known], labels, ~is_validation[known]),
        crop,
        notes,
    )
    _check_sizes(sample, target)
    return sample


def splice_sample(dataset: str, root: Path, side: int, patches: int, seed: int) -> Sample:
    """Label the images of a data set of splices as authentic or tampered.

    `VALIDATION_SHARE` of the authentic and of the tampered images are drawn for validation. The sources of a splice may
    be authentic images on the other side of the split, so the score may depend on scenes as well as on traces of
    tampering.

    Args:
        dataset, root: name and folder, see `competition.forgeries.datasets.open_dataset`.
        side: of a patch, pixels.
        patches: number of patches of each image.
        seed: of the split and the positions.

    Raises:
        InputError: the folder does not have the expected tree, or there are too few images of a class.
    """
    items = open_dataset(dataset, root)
    labels = np.array([item.mask is not None for item in items], np.intp)
    is_validation = np.zeros(len(items), bool)
    rng = np.random.default_rng(seed)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        is_validation[rows[: round(VALIDATION_SHARE * len(rows))]] = True
    names = np.array([item.image.relative_to(root).as_posix() for item in items])
    present, labels = np.unique(labels, return_inverse=True)

    def crop(pixels: Pixels, index: int) -> Pixels:
        return _crop_patches(pixels, side, patches, (seed, index))

    classes = tuple((AUTHENTIC, "tampered")[label] for label in present)
    sample = Sample(root, names, classes, labels, is_validation, names, crop, ())
    _check_sizes(sample, AUTHENTIC)
    return sample


def _manifest_classes(target: str, table: pd.DataFrame) -> tuple[tuple[str, ...], NDArray[np.integer]]:
    """Class names, and the class of each row or `UNKNOWN`."""
    if target in SETTINGS:
        edges = bin_edges(target, BINS)
        return bin_names(target, edges.tolist()), assign_bins(target, table[SETTINGS[target].column], edges)
    classes = sorted(table[target].dropna().unique())
    return tuple(classes), pd.Index(classes).get_indexer(pd.Index(table[target]))


def _draw_distortions(
    is_validation: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[tuple[str, ...], NDArray[np.integer]]:
    codes = np.empty(len(is_validation), np.intp)
    for part in (is_validation, ~is_validation):
        codes[part] = rng.permutation(part.sum()) % len(COEFFICIENTS)
    return tuple(f"{k1:+g}" for k1 in COEFFICIENTS), codes


def _groups(table: pd.DataFrame, labels: NDArray[np.intp], fitted: NDArray[np.bool_]) -> NDArray[np.str_]:
    """The device of each photo in classes with several fitted devices, else the photo."""
    groups = table["path"].to_numpy(dtype=object)
    for label in np.unique(labels):
        of_class = table["device"].where(labels == label)
        if len(of_class[fitted].dropna().unique()) > 1:
            groups = of_class.fillna(pd.Series(groups, table.index)).to_numpy(dtype=object)
    return groups.astype(np.str_)


def _crop_patches(pixels: Pixels, side: int, patches: int, seed: tuple[int, int]) -> Pixels:
    """Center patch and `patches` − 1 random patches."""
    height, width = pixels.shape[:2]
    corners = [(center_offset(height, side), center_offset(width, side))]
    rng = np.random.default_rng(seed)
    corners += [random_corner(height, width, side, rng) for _ in range(patches - 1)]
    return np.stack([pixels[top : top + side, left : left + side] for top, left in corners])


def _check_sizes(sample: Sample, target: str) -> None:
    """Raise InputError if there are too few classes or photos."""
    if len(sample.classes) < 2:
        found = ", ".join(sample.classes) or "none"
        raise InputError(
            f"a probe needs at least 2 classes, but the photos have {len(sample.classes)} class(es) of {target} "
            f"({found}); use a run with other photos, or another --target"
        )
    counts = np.bincount(sample.labels[~sample.is_validation], minlength=len(sample.classes))
    smallest = int(counts.argmin())
    if counts[smallest] < MIN_TRAINING_PHOTOS:
        raise InputError(
            f"{sample.classes[smallest]!r} has {counts[smallest]} training photo(s), expected at least "
            f"{MIN_TRAINING_PHOTOS} of each of the {len(counts)} classes of {target}; train on more photos, or use "
            "another --target"
        )
    if not sample.is_validation.any():
        raise InputError(f"no validation photo has a known {target}; train on more photos, or use another --target")
