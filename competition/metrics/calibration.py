"""Reliability diagram and expected calibration error with bootstrap intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from competition.metrics.bootstrap import percentile_interval, resample

BINS = 10


@dataclass(frozen=True, eq=False)
class Reliability:
    """A reliability diagram.

    Attributes:
        confidence, accuracy: means of bins with equal numbers of images, by ascending confidence, (bins,).
        low, high: 95 % interval of the accuracy, (bins,).
        error: expected calibration error.
        error_low, error_high: its 95 % interval.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    error: float
    error_low: float
    error_high: float


def reliability(confidence: ArrayLike, correct: ArrayLike, groups: ArrayLike, seed: int = 0) -> Reliability:
    """Return the reliability diagram of predictions.

    The interval of the calibration error is the basic bootstrap interval: the percentile interval, reflected at the
    error. Even the error of a calibrated model is above zero by chance, and resampling adds the same bias again, which
    the reflection removes. The interval may therefore lie below the error.

    Args:
        confidence: probability of the predicted class, (images,).
        correct: whether each prediction is correct, (images,).
        groups: name of the photo that each image shows, (images,). Whole photos are resampled.
        seed: of the bootstrap.

    Raises:
        ValueError: No images, or different lengths.
    """
    confidence, correct = np.asarray(confidence, np.float64), np.asarray(correct, np.float64)
    if not confidence.size or confidence.shape != correct.shape:
        raise ValueError(
            f"expected confidence and correct of one shape (images,); received {confidence.shape} and {correct.shape}"
        )
    bins = min(BINS, len(np.unique(np.asarray(groups))))  # so that every resampled set fills them
    means, accuracies, error = calibration_error(confidence, correct, bins)
    resampled = [calibration_error(confidence[drawn], correct[drawn], bins) for drawn in resample(groups, seed=seed)]
    low, high = percentile_interval([accuracy for _, accuracy, _ in resampled])
    first, last = percentile_interval([drawn for _, _, drawn in resampled]).tolist()
    interval = max(0.0, 2 * error - last), max(0.0, 2 * error - first)
    return Reliability(means, accuracies, np.minimum(low, accuracies), np.maximum(high, accuracies), error, *interval)


def calibration_error(
    confidence: NDArray[np.float64], correct: NDArray[np.float64], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return mean confidence and accuracy of each bin, both (bins,), and the mean gap between them over images.

    Images are sorted by confidence and divided into `bins` bins of equal size; the first bins have one image more if
    the division leaves a remainder. `bins` is at most the number of images.
    """
    order = np.argsort(confidence, kind="stable")
    ends = np.cumsum(len(order) // bins + (np.arange(bins) < len(order) % bins))
    sizes = np.diff(ends, prepend=0)
    means, accuracies = (np.add.reduceat(values[order], ends - sizes) / sizes for values in (confidence, correct))
    return means, accuracies, float((np.abs(means - accuracies) * sizes).sum() / len(order))
