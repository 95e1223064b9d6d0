"""How well settings are told: balanced accuracy beside what chance and habit reach, and how many settings are right."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from competition.metrics.weighted_accuracy import SMALLEST_PROBABILITY
from competition.settings import UNKNOWN

DRAWS = 1000
LEVEL = 0.95


def score_setting(
    probabilities: NDArray[np.floating], y_true: ArrayLike, seed: int = 0, photographs: ArrayLike | None = None
) -> dict[str, Any]:
    """Scores of one setting as plain numbers; rows whose label is unknown (-1) take no part.

    `probabilities` (images, bins), `y_true` (images,), `photographs` as in `recall_interval`. Returns balanced_accuracy
    (the mean of the recalls of the bins that occur) with low and high (95 %), accuracy, random (1 / bins), majority
    (accuracy of answering the most frequent bin; its balanced accuracy is 1 / occurring bins, which is chance),
    log_loss and images. ValueError for no labels.
    """
    truth = np.asarray(y_true)
    known = truth != UNKNOWN
    if not known.any():
        raise ValueError("no image has a label")
    predicted, truth = np.asarray(probabilities, np.float64)[known], truth[known]
    hits = predicted.argmax(axis=1) == truth
    shown = None if photographs is None else np.asarray(photographs)[known]
    low, high = recall_interval(hits, truth, seed, shown)
    return {
        "balanced_accuracy": float(np.mean([hits[truth == name].mean() for name in np.unique(truth)])),
        "low": low,
        "high": high,
        "accuracy": float(hits.mean()),
        "random": 1 / predicted.shape[1],
        "majority": float(np.bincount(truth).max() / len(truth)),
        "log_loss": float(-np.log(np.maximum(predicted[np.arange(len(truth)), truth], SMALLEST_PROBABILITY)).mean()),
        "images": len(truth),
    }


def recall_interval(
    hits: NDArray[np.bool_], truth: NDArray[np.integer], seed: int = 0, photographs: ArrayLike | None = None
) -> tuple[float, float]:
    """The 95 % bootstrap interval of the balanced accuracy: the images of each class are resampled among themselves.

    `photographs` (images,) names the photograph that an image shows, of which whole ones are drawn: the images of one
    succeed and fail together. Without it every image is its own.
    """
    rng = np.random.default_rng(seed)
    shown = np.arange(len(hits)) if photographs is None else np.asarray(photographs)
    recalls = []
    for name in np.unique(truth):
        of_class = truth == name
        photograph = np.unique(shown[of_class], return_inverse=True)[1]
        counts = np.stack([np.bincount(photograph, weights=hits[of_class]), np.bincount(photograph)], axis=1)
        # Photographs with equal counts are interchangeable: one draw over the few distinct outcomes.
        outcomes, times = np.unique(counts, axis=0, return_counts=True)
        drawn = rng.multinomial(times.sum(), times / times.sum(), DRAWS) @ outcomes
        recalls.append(drawn[:, 0] / drawn[:, 1])
    low, high = np.quantile(np.mean(recalls, axis=0), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def settings_right(answers: NDArray[np.integer], truth: NDArray[np.integer]) -> NDArray[np.float64]:
    """The shares of images of which 0, 1, … all settings are right: both (settings, images) → (settings + 1,).

    Only images whose settings are all known count (Laurence & Murphy 2018, table 6).
    """
    known = (truth != UNKNOWN).all(axis=0)
    right = (answers == truth).sum(axis=0)[known]
    return np.bincount(right, minlength=len(truth) + 1) / max(1, len(right))


def random_right(bins: int, settings: int = 3) -> NDArray[np.float64]:
    """The same shares for a random draw: binomial."""
    chance, shares = 1 / bins, np.ones(1)
    for _ in range(settings):
        shares = np.convolve(shares, [1 - chance, chance])
    return shares


def normalized_accuracy(accuracies: ArrayLike, bins: int) -> float:
    """Mean accuracy over that of a random draw (table 4; it prints 2.43 for ten bins, its own numbers give 2.33)."""
    return float(np.mean(np.asarray(accuracies, np.float64)) * bins)
