"""Decide whether a photo was taken by none of a run's cameras, at a fixed rate of false rejections."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from submissions.confidence.activations import Images, load_activations
from submissions.confidence.unknown_scores import Activations, Score, fit_score
from submissions.run import Run

BEST = "neighbors"  # of `unknown_scores.SCORES`, see docs/results.md
REJECTED = 0.05  # share of the photos by known cameras that are wrongly called unknown
MIN_IMAGES = 19  # of which one exceeds the threshold
SMALLEST = 1e-12  # spread of scores


@dataclass(frozen=True, eq=False)
class Detector:
    """A score of "none of these cameras" with its thresholds.

    Attributes:
        score: of `submissions.confidence.unknown_scores`.
        thresholds: of unaltered (False) and of manipulated (True) images.
        spreads: standard deviations of the scores of known images, of both kinds.
    """

    score: Score
    thresholds: Mapping[bool, float]
    spreads: Mapping[bool, float]

    def __call__(self, images: Activations, is_manipulated: ArrayLike) -> NDArray[np.float64]:
        """Return the scores of images, (images,), in spreads above the threshold.

        Above 0, the camera is unknown. NaN if there is no threshold.
        """
        flags = np.asarray(is_manipulated, bool)
        threshold, spread = (np.where(flags, of[True], of[False]) for of in (self.thresholds, self.spreads))
        return (self.score(images) - threshold) / spread


def fit_detector(name: str, training: Images, validation: Images) -> Detector:
    """Fit a detector that rejects `REJECTED` of the photos by known cameras.

    Unaltered and manipulated images have their own thresholds. A kind with fewer than `MIN_IMAGES` validation images
    has the threshold of all of them. If they are still too few, there is no threshold, and no image is called unknown.

    Args:
        name: of the score, see `submissions.confidence.unknown_scores.SCORES`.
        training: images that the network was trained on. The score is fitted on them.
        validation: images that it was not trained on. The thresholds are fitted on them.
    """
    score = fit_score(name, training.activations, training.labels)
    scores = score(validation.activations)
    parts = {flag: scores[validation.is_manipulated == flag] for flag in (False, True)}
    parts = {flag: part if len(part) >= MIN_IMAGES else scores for flag, part in parts.items()}
    return Detector(
        score,
        {flag: find_threshold(part) for flag, part in parts.items()},
        {flag: max(float(part.std()), SMALLEST) for flag, part in parts.items()},
    )


def find_threshold(scores: NDArray[np.float64], rejected: float = REJECTED) -> float:
    """Return the threshold above which at most `rejected` of new images of the same kind lie, on average.

    It is the k-th highest of n `scores` with k = ⌊rejected · (n + 1)⌋, which holds for any distribution (conformal
    prediction; Vovk et al. 2005). NaN if k is 0.
    """
    rank = int(rejected * (len(scores) + 1))
    return float(np.sort(scores)[-rank]) if rank else np.nan


def run_detector(run: Run) -> Detector:
    """Fit the detector of a run on its cached activations. Raises `InputError` if they are missing or damaged."""
    return fit_detector(BEST, *load_activations(run))
