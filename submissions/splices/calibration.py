"""Calibration of a splice detector: which differences of embeddings tell photos apart, and which score is suspicious.

Embeddings of the patches of one photo differ by content; those of two photos also by camera and settings. Linear
discriminant analysis of authentic photos (Fisher 1936) finds the directions along which photos differ most, relative to
the differences within a photo, and weighs them accordingly. It needs photos, but no splices.
"""

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import bdtr

from competition.utils.atomic_files import atomic_write
from competition.utils.errors import InputError
from submissions.prediction_cache import DAMAGED
from submissions.splices.consistency import cell_means

CALIBRATION = "calibration.npz"
FALSE_ALARMS = 0.05  # largest share of authentic photos whose score is above the threshold
CONFIDENCE = 0.95  # that it is not larger, for photos like those from which the threshold was taken
LEAST_CONSISTENT = 0.05  # share of the cells whose inconsistency is the score
NEIGHBORS = 1  # cells on each side that are averaged, because one small patch tells little
RIDGE = 1e-3  # of the mean variance within photos, added to every variance
MIN_RATIO = 0.05  # least ratio of the variances between and within photos of a direction that is kept


@dataclass(frozen=True, eq=False)
class Calibration:
    """What is known of the embeddings of authentic photos.

    Attributes:
        mean: of all embeddings, float32 (width,).
        directions: float32 (width, kept). Along each, centered embeddings have the variance 1 within photos, times
            the weight b / (1 + b) for a variance of photos of b, and they are uncorrelated.
        threshold: see `tolerance_limit`.
        photos: number of photos from which the threshold was taken.
    """

    mean: NDArray[np.float32]
    directions: NDArray[np.float32]
    threshold: float = np.inf
    photos: int = 0

    def transform(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Weigh the directions of embeddings, (…, width); returns unit vectors, float32 (…, kept)."""
        points = (embeddings - self.mean) @ self.directions
        norms = np.linalg.norm(points, axis=-1, keepdims=True)
        return np.asarray(points / np.maximum(norms, np.finfo(np.float32).tiny), np.float32)

    def save(self, folder: Path) -> None:
        """Write `CALIBRATION` into the folder of a run."""
        with atomic_write(folder / CALIBRATION) as unfinished, unfinished.open("wb") as file:
            np.savez(file, **vars(self))


def calibrated_score(embeddings: NDArray[np.float32], patch_cells: int) -> float:
    """Return how inconsistent the least consistent cells are with the whole photo, from 0 (not at all) to 2.

    It is the mean of 1 − cosine with all patches over `LEAST_CONSISTENT` of the cells. The arguments are those of
    `submissions.splices.consistency.consistency_map`, with transformed embeddings.
    """
    cells = cell_means(embeddings, patch_cells, NEIGHBORS).reshape(-1, embeddings.shape[-1])
    inconsistency = np.sort(1 - cells @ cells.mean(axis=0))
    return float(inconsistency[-math.ceil(LEAST_CONSISTENT * len(cells)) :].mean())


def tolerance_limit(scores: NDArray[np.floating]) -> float:
    """Return a score that at most `FALSE_ALARMS` of all authentic photos exceed, with a probability of `CONFIDENCE`.

    The quantile of a sample is exceeded by more of all photos as often as by fewer. This is the one-sided tolerance
    limit without assumptions on the distribution (Wilks 1941). With fewer than 59 scores, there is none, and their
    maximum is returned.

    Args:
        scores: of authentic photos, (photos,).
    """
    chances = bdtr(np.arange(len(scores)), len(scores), FALSE_ALARMS)  # that so many scores or fewer exceed it
    above = int((chances <= 1 - CONFIDENCE).sum()) - 1
    return float(np.sort(scores)[-1 - max(0, above)])


def describe(calibration: Calibration, scores: pd.DataFrame) -> str:
    """Describe the threshold, and how many scores are above it; `scores` has the columns score and threshold."""
    above = int((scores["score"] > scores["threshold"]).sum())
    return (
        f"threshold: {calibration.threshold:.2f}, which at most {FALSE_ALARMS:.0%} of authentic photos like the "
        f"{calibration.photos} validation photos of the run exceed. {above} of {len(scores)} photos are above it. The\n"
        "others are called consistent: nothing in them is marked. Photos by other cameras may score higher."
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
