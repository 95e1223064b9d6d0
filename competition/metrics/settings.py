"""Scores of camera settings: balanced accuracy beside chance and the majority class, and how many are correct."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from competition.metrics.bootstrap import DRAWS, paired_interval, percentile_interval, resample_sums, sum_groups
from competition.metrics.log_loss import log_losses
from competition.settings import UNKNOWN


def score_setting(
    probabilities: NDArray[np.floating], y_true: ArrayLike, seed: int = 0, groups: ArrayLike | None = None
) -> dict[str, Any]:
    """Return the scores of one setting as plain numbers. Rows with an unknown label (-1) are left out.

    Args:
        probabilities: (images, bins).
        y_true: bins, (images,).
        seed: of the bootstrap.
        groups: see `recall_interval`.

    Returns:
        balanced_accuracy (mean recall of the bins that occur) with low and high (95 %), bin_error (mean absolute
        difference between the most probable and the true bin), accuracy, random (1 / bins), majority (accuracy of
        always predicting the most frequent bin; its balanced accuracy is chance, 1 / occurring bins), log_loss and
        images.

    Raises:
        ValueError: All labels are unknown.
    """
    truth = np.asarray(y_true)
    known = truth != UNKNOWN
    if not known.any():
        raise ValueError("no image has a label")
    probabilities, truth = np.asarray(probabilities, np.float64)[known], truth[known]
    correct = probabilities.argmax(axis=1) == truth
    low, high = recall_interval(correct, truth, seed, None if groups is None else np.asarray(groups)[known])
    return {
        "balanced_accuracy": balanced_accuracy(correct, truth),
        "low": low,
        "high": high,
        "bin_error": float(np.abs(probabilities.argmax(axis=1) - truth).mean()),
        "accuracy": float(correct.mean()),
        "random": 1 / probabilities.shape[1],
        "majority": float(np.bincount(truth).max() / len(truth)),
        "log_loss": float(log_losses(probabilities, truth).mean()),
        "images": len(truth),
    }


def balanced_accuracy(correct: NDArray[np.bool_], truth: NDArray[np.integer]) -> float:
    """Return the mean recall of the classes in `truth`; both arguments are (images,)."""
    return float(np.mean([correct[truth == name].mean() for name in np.unique(truth)]))


def recall_interval(
    correct: NDArray[np.bool_], truth: NDArray[np.integer], seed: int = 0, groups: ArrayLike | None = None
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval (low, high) of the balanced accuracy; classes are strata.

    Args:
        correct: whether each prediction is correct, (images,).
        truth: class of each image, (images,).
        seed: of the bootstrap.
        groups: name of the photo that each image shows, (images,). Default: every image is its own group.
    """
    photo = np.arange(len(correct)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    pairs, group = np.unique(np.stack([truth, photo]), axis=1, return_inverse=True)
    sums = sum_groups(np.stack([correct, np.ones_like(correct)], axis=1), group.ravel())
    recalls = mean_recall(resample_sums(sums, pairs[0], seed))
    low, high = percentile_interval(recalls).tolist()
    return low, high


def recall_difference(
    y_true: ArrayLike, first: ArrayLike, second: ArrayLike, seed: int = 0, groups: ArrayLike | None = None
) -> tuple[float, float, float]:
    """Return the balanced accuracy of `first` minus that of `second` with its paired bootstrap interval (low, high).

    Args:
        y_true: bins, (images,). Images with an unknown label (-1) are left out.
        first, second: bins that two entries predict for the same images, (images,).
        seed, groups: see `recall_interval`.
    """
    known = np.asarray(y_true) != UNKNOWN
    truth = np.asarray(y_true)[known]
    photo = np.arange(len(truth)) if groups is None else np.unique(np.asarray(groups)[known], return_inverse=True)[1]
    pairs, group = np.unique(np.stack([truth, photo]), axis=1, return_inverse=True)
    sums, other_sums = (
        sum_groups(np.stack([np.asarray(bins)[known] == truth, np.ones_like(truth)], axis=1), group.ravel())
        for bins in (first, second)
    )
    low, high = paired_interval(sums, other_sums, mean_recall, strata=pairs[0], seed=seed).tolist()
    one, other = (balanced_accuracy(np.asarray(bins)[known] == truth, truth) for bins in (first, second))
    return one - other, low, high


def mean_accuracy_samples(
    correct: NDArray[np.bool_], truth: NDArray[np.integer], seed: int = 0, groups: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return bootstrap samples of the mean of the balanced accuracies of several settings: (draws,).

    Photos are drawn once for all settings, because a photo's predictions depend on each other. The same seed draws the
    same photos, so that differences of the samples of two entries are paired.

    Args:
        correct: whether each prediction is correct, (settings, images).
        truth: bins, (settings, images), -1 where unknown.
        seed, groups: see `recall_interval`.
    """
    images = truth.shape[1]
    columns = []
    for right, bins in zip(correct, truth, strict=True):
        for name in np.unique(bins[bins != UNKNOWN]):
            columns += [right & (bins == name), bins == name]
    sums = sum_groups(np.stack(columns, axis=1), np.arange(images) if groups is None else groups)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), DRAWS) @ sums
    recalls = drawn[:, ::2] / np.maximum(drawn[:, 1::2], 1)
    ends = np.cumsum([len(np.unique(bins[bins != UNKNOWN])) for bins in truth])
    return np.mean([part.mean(axis=1) for part in np.split(recalls, ends[:-1], axis=1)], axis=0)


def mean_recall(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over classes of correct / all: (classes, draws, 2) → (draws,)."""
    return np.mean(sums[..., 0] / sums[..., 1], axis=0)


def correct_shares(predicted: NDArray[np.integer], truth: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the shares of images with 0, 1, … correct settings: both (settings, images) → (settings + 1,).

    Only images with known labels of all settings count (Laurence & Murphy 2018, table 6).
    """
    known = (truth != UNKNOWN).all(axis=0)
    correct = (predicted == truth).sum(axis=0)[known]
    return np.bincount(correct, minlength=len(truth) + 1) / max(1, len(correct))


def random_correct_shares(bins: int, settings: int = 3) -> NDArray[np.float64]:
    """Return the expected `correct_shares` of random predictions, a binomial distribution: (settings + 1,)."""
    chance, shares = 1 / bins, np.ones(1)
    for _ in range(settings):
        shares = np.convolve(shares, [1 - chance, chance])
    return shares


def normalized_accuracy(accuracies: ArrayLike, bins: int) -> float:
    """Return the mean accuracy divided by that of random predictions.

    Table 4 of the paper prints 2.43 for ten bins; its own numbers give 2.33.
    """
    return float(np.mean(np.asarray(accuracies, np.float64)) * bins)
