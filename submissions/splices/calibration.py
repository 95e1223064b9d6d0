"""Calibration of a splice detector: which differences of embeddings tell photos apart, and which score is suspicious.

Embeddings of the patches of one photo differ by content; those of two photos also by camera and settings. Linear
discriminant analysis of authentic photos (Fisher 1936) finds the directions along which photos differ most, relative to
the differences within a photo, and weighs them accordingly. It needs photos, but no splices.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.utils.atomic_files import atomic_write
from competition.utils.errors import InputError
from submissions.prediction_cache import DAMAGED

CALIBRATION = "calibration.npz"
FALSE_ALARMS = 0.05  # share of the authentic photos whose score is above the threshold
PERCENTILE = 97.0  # of the inconsistency of all pairs: in a splice of 2 % of the area, 4 % of the pairs are mixed
NEIGHBORS = 1  # patches on each side that are averaged, because one small patch tells little
RIDGE = 1e-3  # of the mean variance within photos, added to every variance
MIN_RATIO = 0.05  # least ratio of the variances between and within photos of a direction that is kept


@dataclass(frozen=True, eq=False)
class Calibration:
    """What is known of the embeddings of authentic photos.

    Attributes:
        mean: of all embeddings, float32 (width,).
        directions: float32 (width, kept). Along each, centered embeddings have the variance 1 within photos, times
            the weight b / (1 + b) for a variance of photos of b, and they are uncorrelated.
        threshold: score that `FALSE_ALARMS` of the authentic photos exceed.
        photos: number of photos from which the threshold was taken.
    """

    mean: NDArray[np.float32]
    directions: NDArray[np.float32]
    threshold: float = np.inf
    photos: int = 0

    def transform(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Weigh the directions of embeddings and average neighbors: (rows, columns, width) → unit vectors of `kept`.

        A patch at the border has fewer neighbors.
        """
        rows, columns, _ = embeddings.shape
        points = (embeddings - self.mean) @ self.directions
        points = np.einsum("Rr,rcw,Cc->RCw", _neighbors(rows), points, _neighbors(columns), optimize=True)
        norms = np.linalg.norm(points, axis=-1, keepdims=True)
        return np.asarray(points / np.maximum(norms, np.finfo(np.float32).tiny), np.float32)

    def save(self, folder: Path) -> None:
        """Write `CALIBRATION` into the folder of a run."""
        with atomic_write(folder / CALIBRATION) as unfinished, unfinished.open("wb") as file:
            np.savez(file, **vars(self))


def calibrated_score(embeddings: NDArray[np.float32]) -> float:
    """Return a high percentile of 1 − cosine over all pairs of transformed embeddings, (rows, columns, kept)."""
    flat = embeddings.reshape(-1, embeddings.shape[-1])
    return float(np.percentile(1 - flat @ flat.T, PERCENTILE))


def _neighbors(count: int) -> NDArray[np.float32]:
    """Along one side, the weight of each patch in the mean of each patch and its neighbors: (count, count)."""
    index = np.arange(count)
    near = (np.abs(index[:, None] - index) <= NEIGHBORS).astype(np.float32)
    return near / near.sum(axis=1, keepdims=True)


def describe(calibration: Calibration, scores: pd.DataFrame) -> str:
    """Describe the threshold, and how many scores are above it; `scores` has the columns score and threshold."""
    above = int((scores["score"] > scores["threshold"]).sum())
    return (
        f"threshold: {calibration.threshold:.2f}, the score that {FALSE_ALARMS:.0%} of {calibration.photos} authentic "
        f"validation photos of the run exceed. {above} of {len(scores)} photos are above it. The others are called\n"
        "consistent: nothing in them is marked. Photos by other cameras than those of the run may score higher."
    )


def fit_calibration(embeddings: NDArray[np.float32]) -> Calibration:
    """Estimate the variances within and between photos from patches of photos, (photos, patches, width).

    Raises:
        ValueError: fewer than two photos or two patches.
    """
    photos, patches, width = embeddings.shape
    if photos < 2 or patches < 2:
        raise ValueError(f"expected at least two photos with two patches each; got {photos} and {patches}")
    centers = embeddings.mean(axis=1, dtype=np.float64)
    mean = centers.mean(axis=0)
    residuals = (embeddings - centers[:, None]).reshape(-1, width)
    within = residuals.T @ residuals / (photos * (patches - 1))
    within += RIDGE * np.trace(within) / width * np.eye(width)
    between = (centers - mean).T @ (centers - mean) / (photos - 1) - within / patches
    whitening = np.linalg.inv(np.linalg.cholesky(within))
    ratios, vectors = np.linalg.eigh(whitening @ between @ whitening.T)
    kept = ratios >= min(MIN_RATIO, ratios.max())
    between = np.maximum(ratios[kept], 0)
    directions = whitening.T @ vectors[:, kept] * np.sqrt(between / (1 + between))
    return Calibration(mean.astype(np.float32), directions.astype(np.float32))


def load_calibration(folder: Path) -> Calibration:
    """Load the calibration of a run. Raises `InputError` if it is missing or damaged."""
    path = folder / CALIBRATION
    if not path.is_file():
        raise InputError(f"the run {folder} has no {CALIBRATION}; repeat its train command, which makes it")
    if not zipfile.is_zipfile(path):  # numpy would leave the file open
        raise InputError(f"{path} is truncated; delete it and repeat the train command of the run")
    try:
        with np.load(path, allow_pickle=False) as file:
            return Calibration(file["mean"], file["directions"], float(file["threshold"]), int(file["photos"]))
    except (KeyError, *DAMAGED) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and repeat the train command of the run") from None
