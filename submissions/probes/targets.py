"""What frozen embeddings are probed for: photographs, what is true of them, and the patches that show it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augment.crops import center_offset, random_corner
from augment.lens_distortion import COEFFICIENTS, CORNERS, corner_patch
from competition.forgeries.datasets import open_dataset
from competition.settings import SETTINGS, UNKNOWN, bin_edges, bin_names, bins_of
from competition.utils.errors import InputError, unknown_name

RADIAL, AUTHENTIC = "radial-distortion", "authentic"
TARGETS = ("camera", "make", *SETTINGS, RADIAL, AUTHENTIC)
BINS = 3  # of a setting
MEASURED = 0.3  # of the images of a data set of splices, which has no split of its own
FEWEST = 2  # training photographs of a class: one to fit and one to choose the regularisation by

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Sample:
    """Photographs with one label each.

    names: their paths below `folder`. classes: what there is to tell apart; labels: indices into them, (photographs,).
    measured: which photographs the score is measured on, (photographs,); the others are fitted. groups: what is kept
    together while the regularisation is chosen, (photographs,). cut: pixels uint8 (height, width, 3) and the number of
    a photograph → its patches, uint8 (patches, side, side, 3). notes: what a reader of the score must know.
    """

    folder: Path
    names: NDArray[np.str_]
    classes: tuple[str, ...]
    labels: NDArray[np.intp]
    measured: NDArray[np.bool_]
    groups: NDArray[np.str_]
    cut: Callable[[Pixels, int], Pixels]
    notes: tuple[str, ...]


def photos_for(target: str, table: pd.DataFrame, folder: Path, side: int, patches: int, seed: int) -> Sample:
    """The photographs of a run's manifest, labelled for any target but `authentic`.

    Those of its validation are measured. Without a label (EXIF does not tell it) a photograph takes no part. While the
    regularisation is chosen, photographs of one device stay together in classes that know several devices. Radial
    distortion is drawn at random, each coefficient as often as any other, and shown near the corners; all else in
    the center and, with several patches, at random places besides.

    Raises `InputError` for an unknown target, and where classes or photographs are too few.
    """
    if target not in TARGETS:
        raise unknown_name("target", target, TARGETS)
    if target == RADIAL and patches > CORNERS:
        raise InputError(f"received --patches {patches}; a photograph has {CORNERS} corners to show its distortion")
    measured = (table["split"] == "validation").to_numpy()
    rng = np.random.default_rng(seed)
    names, codes = _radial(measured, rng) if target == RADIAL else _told(target, table)
    known = codes != UNKNOWN
    notes = () if known.all() else (f"{(~known).sum()} of {len(table)} photographs do not tell their {target}",)
    present, labels = np.unique(codes[known], return_inverse=True)

    def cut(pixels: Pixels, number: int) -> Pixels:
        if target == RADIAL:
            k1 = COEFFICIENTS[codes[number]]
            return np.stack([corner_patch(pixels, k1, side, corner) for corner in range(patches)])
        return _center_patches(pixels, side, patches, (seed, number))

    return _checked(
        Sample(
            folder,
            table.loc[known, "path"].to_numpy(dtype=np.str_),
            tuple(names[code] for code in present),
            labels,
            measured[known],
            _devices(table[known], labels, ~measured[known]),
            cut,
            notes,
        ),
        target,
    )


def splices(dataset: str, root: Path, side: int, patches: int, seed: int) -> Sample:
    """The images of a data set of splices (see `competition.forgeries.layouts`), authentic or tampered.

    Split by image, `MEASURED` of either kind apart. A splice's sources may lie among the authentic images on the other
    side of the split, so this tells the traces of tampering from the scene less well than unseen scenes would.

    Raises `InputError` for a tree that differs, and where the images of a kind are too few.
    """
    items = open_dataset(dataset, root)
    labels = np.array([item.mask is not None for item in items], np.intp)
    measured = np.zeros(len(items), bool)
    rng = np.random.default_rng(seed)
    for kind in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == kind))
        measured[rows[: round(MEASURED * len(rows))]] = True
    names = np.array([item.image.relative_to(root).as_posix() for item in items])
    found = (AUTHENTIC, "tampered")
    present, labels = np.unique(labels, return_inverse=True)

    def cut(pixels: Pixels, number: int) -> Pixels:
        return _center_patches(pixels, side, patches, (seed, number))

    classes = tuple(found[kind] for kind in present)
    return _checked(Sample(root, names, classes, labels, measured, names, cut, ()), AUTHENTIC)


def _told(target: str, table: pd.DataFrame) -> tuple[tuple[str, ...], NDArray[np.integer]]:
    """Names of classes, and of each row its class or `UNKNOWN`."""
    if target in SETTINGS:
        edges = bin_edges(target, BINS)
        return bin_names(target, edges.tolist()), bins_of(target, table[SETTINGS[target].column], edges)
    classes = sorted(table[target].dropna().unique())
    return tuple(classes), pd.Index(classes).get_indexer(pd.Index(table[target]))


def _radial(measured: NDArray[np.bool_], rng: np.random.Generator) -> tuple[tuple[str, ...], NDArray[np.integer]]:
    codes = np.empty(len(measured), np.intp)
    for part in (measured, ~measured):
        codes[part] = rng.permutation(part.sum()) % len(COEFFICIENTS)
    return tuple(f"{k1:+g}" for k1 in COEFFICIENTS), codes


def _devices(table: pd.DataFrame, labels: NDArray[np.intp], fitted: NDArray[np.bool_]) -> NDArray[np.str_]:
    """What stays together: the device where several of a class are fitted, else the photograph."""
    groups = table["path"].to_numpy(dtype=object)
    for label in np.unique(labels):
        of_class = table["device"].where(labels == label)
        if len(of_class[fitted].dropna().unique()) > 1:
            groups = of_class.fillna(pd.Series(groups, table.index)).to_numpy(dtype=object)
    return groups.astype(np.str_)


def _center_patches(pixels: Pixels, side: int, patches: int, seed: tuple[int, int]) -> Pixels:
    height, width = pixels.shape[:2]
    corners = [(center_offset(height, side), center_offset(width, side))]
    rng = np.random.default_rng(seed)
    corners += [random_corner(height, width, side, rng) for _ in range(patches - 1)]
    return np.stack([pixels[top : top + side, left : left + side] for top, left in corners])


def _checked(sample: Sample, target: str) -> Sample:
    fitted = np.bincount(sample.labels[~sample.measured], minlength=len(sample.classes))
    if len(sample.classes) < 2:
        found = ", ".join(sample.classes) or "none"
        raise InputError(f"the photographs have {len(sample.classes)} class(es) of {target} ({found}); a probe needs 2")
    few = int(fitted.argmin())
    if fitted[few] < FEWEST:
        raise InputError(
            f"{sample.classes[few]!r} has {fitted[few]} training photograph(s), expected at least {FEWEST} of each of "
            f"the {len(fitted)} classes of {target}; train on more photographs, or probe for another target"
        )
    if not sample.measured.any():
        raise InputError(f"no photograph is left to measure {target} on; train on more photographs")
    return sample
