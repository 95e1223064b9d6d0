"""Whether answers are as often right as they are sure: parts of a reliability diagram, and how far they are off."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

PARTS = 10
DRAWS = 1000
LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Reliability:
    """Parts of equally many images, the least sure first, each (parts,): mean confidence, accuracy and its 95 % limits;
    and the expected calibration error with its 95 % limits."""

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    error: float
    error_low: float
    error_high: float


def reliability(confidence: ArrayLike, right: ArrayLike, groups: ArrayLike, seed: int = 0) -> Reliability:
    """How sure and how often right: `confidence` in [0, 1], `right` boolean, `groups` names of photographs, (images,).

    The limits are of a bootstrap that draws whole photographs. Those of the calibration error are reflected at it (the
    basic bootstrap): by chance alone an error is never zero, and drawing again adds as much again, which the
    reflection takes away. They may therefore lie below the error itself. ValueError for no images.
    """
    sure, hits = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    if not sure.size or sure.shape != hits.shape:
        raise ValueError(f"expected confidence and right of one shape (images,); got {sure.shape} and {hits.shape}")
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    parts = min(PARTS, len(names))  # so that whatever is drawn fills them
    means, accuracies, error = calibration_error(sure, hits, parts)
    rng = np.random.default_rng(seed)
    drawn_accuracies, drawn_errors = [], []
    for _ in range(DRAWS):
        times = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        drawn = np.repeat(np.arange(len(sure)), times[member])
        _, drawn_accuracy, drawn_error = calibration_error(sure[drawn], hits[drawn], parts)
        drawn_accuracies.append(drawn_accuracy)
        drawn_errors.append(drawn_error)
    outer = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile(drawn_accuracies, outer, axis=0)
    first, last = np.quantile(drawn_errors, outer)
    limits = (max(0.0, 2 * error - float(last)), max(0.0, 2 * error - float(first)))
    return Reliability(means, accuracies, np.minimum(low, accuracies), np.maximum(high, accuracies), error, *limits)


def calibration_error(
    confidence: NDArray[np.float64], right: NDArray[np.float64], parts: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Mean confidence and accuracy of `parts` parts of equally many images, and the mean gap between both, per image.

    Images are sorted by confidence; where they do not divide evenly, the first parts have one more. `parts` is at most
    the number of images.
    """
    order = np.argsort(confidence, kind="stable")
    ends = np.cumsum(len(order) // parts + (np.arange(parts) < len(order) % parts))
    sizes = np.diff(ends, prepend=0)
    means, accuracies = (np.add.reduceat(values[order], ends - sizes) / sizes for values in (confidence, right))
    return means, accuracies, float((np.abs(means - accuracies) * sizes).sum() / len(order))
