"""Scores of splice localization (a heat map against a mask) and of splice detection (one score per image).

A heat map holds a score in [0, 1] for each pixel. Which end of the scale is the splice cannot be known from the pixels,
so scores of maps are *permuted*: the better one of the map and of 1 − map (Huh et al., ECCV 2018, section 5.2). Both
are computed from one sort, because at each threshold the inverted map marks what the map does not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from competition.metrics.bootstrap import percentile_interval, resample
from competition.utils.errors import InputError

FIXED_THRESHOLD = 0.5
_PUBLISHED_THRESHOLDS = np.linspace(0, 1, 1000)


@dataclass(frozen=True)
class Curve:
    """Counts at every distinct threshold, from the strictest, which marks nothing, to the loosest, which marks all.

    Attributes:
        thresholds: descending from infinity, float64 (thresholds,). Scores of at least the threshold are marked.
        true_positives, false_positives: numbers of marked positives and negatives, float64 (thresholds,). The last
            entry is the number of all positives, or of all negatives.
    """

    thresholds: NDArray[np.float64]
    true_positives: NDArray[np.float64]
    false_positives: NDArray[np.float64]

    def inverted(self) -> "Curve":
        """Return the curve of 1 − scores."""
        thresholds = np.append(np.inf, 1 - self.thresholds[:0:-1])
        return Curve(
            thresholds,
            self.true_positives[-1] - self.true_positives[::-1],
            self.false_positives[-1] - self.false_positives[::-1],
        )

    def at(self, thresholds: ArrayLike) -> "Curve":
        """Return the curve at the given thresholds, followed by the last entry."""
        chosen = np.searchsorted(-self.thresholds, -np.asarray(thresholds, dtype=np.float64), side="right") - 1
        chosen = np.append(chosen, self.thresholds.size - 1)
        return Curve(self.thresholds[chosen], self.true_positives[chosen], self.false_positives[chosen])


def threshold_curve(scores: ArrayLike, positive: ArrayLike) -> Curve:
    """Return the curve of `scores` (n,) against the truth `positive`, boolean (n,), with both truths present.

    Raises ValueError for other shapes, NaN, and a truth with one value only.
    """
    scores, truth = np.asarray(scores, dtype=np.float64), np.asarray(positive)
    if scores.ndim != 1 or scores.shape != truth.shape or truth.dtype != bool:
        raise ValueError(
            f"expected scores (n,) and a boolean truth (n,); received {scores.shape}, {truth.dtype}{truth.shape}"
        )
    if not np.isfinite(scores).all():
        raise ValueError("scores hold NaN or infinite values")
    if truth.all() or not truth.any():
        raise ValueError("all have the same truth; expected positives and negatives")
    order = np.argsort(scores)[::-1]
    descending = scores[order]
    ends = np.append(np.flatnonzero(np.diff(descending)), descending.size - 1)  # equal scores share a threshold
    true_positives = np.cumsum(truth[order], dtype=np.float64)[ends]
    false_positives = ends + 1 - true_positives
    return Curve(np.append(np.inf, descending[ends]), np.append(0, true_positives), np.append(0, false_positives))


def average_precision(curve: Curve) -> float:
    """Return Σ (recall − previous recall) · precision over thresholds, as scikit-learn defines it."""
    precision = curve.true_positives[1:] / (curve.true_positives[1:] + curve.false_positives[1:])
    return float(np.diff(curve.true_positives) @ precision / curve.true_positives[-1])


def f1(curve: Curve) -> NDArray[np.float64]:
    """Return F1 at every threshold."""
    return 2 * curve.true_positives / (curve.true_positives + curve.false_positives + curve.true_positives[-1])


def mcc(curve: Curve) -> NDArray[np.float64]:
    """Return Matthews' correlation coefficient at every threshold; 0 where everything or nothing is marked."""
    positives, negatives = curve.true_positives[-1], curve.false_positives[-1]
    marked = curve.true_positives + curve.false_positives
    covariance = curve.true_positives * negatives - curve.false_positives * positives
    scale = np.sqrt(marked * (positives + negatives - marked) * positives * negatives)
    return np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0)


def balanced_iou(curve: Curve) -> NDArray[np.float64]:
    """Return the class-balanced IoU at every threshold: the mean of the IoUs of the splice and of the background."""
    positives, negatives = curve.true_positives[-1], curve.false_positives[-1]
    splice = curve.true_positives / (positives + curve.false_positives)
    background = (negatives - curve.false_positives) / (negatives + positives - curve.true_positives)
    return (splice + background) / 2


def iou_as_published(curve: Curve) -> float:
    """Return the class-balanced IoU as the released code of "EXIF as Language" (Zheng et al., CVPR 2023) computes it.

    Only for comparison with the paper. In that code, each class takes its own best one of 1000 thresholds, and the mask
    of the background is the bitwise complement of a uint8 mask: 255 or 254, both true. The IoU of the background is
    therefore the share of unmarked pixels, which reaches 1 (unless pixels score 1). A random map scores
    (1 + area) / 2.
    """
    chosen = curve.at(_PUBLISHED_THRESHOLDS)
    splice = chosen.true_positives / (curve.true_positives[-1] + chosen.false_positives)
    pixels = curve.true_positives[-1] + curve.false_positives[-1]
    background = 1 - (chosen.true_positives + chosen.false_positives) / pixels
    return float(splice.max() + background.max()) / 2


def score_map(heat_map: ArrayLike, mask: ArrayLike, threshold: float = FIXED_THRESHOLD) -> dict[str, float]:
    """Return the permuted scores of one forged image's heat map.

    Args:
        heat_map: (h, w), in [0, 1].
        mask: boolean (h, w), true in the splice.
        threshold: of f1 and mcc.

    Returns:
        average_precision (of pixels), best_f1, best_mcc and best_iou (`balanced_iou`), each at its best threshold, f1
        and mcc at `threshold`, iou_as_published, and area: the share of the splice, which is the average precision of a
        random map.

    Raises:
        InputError: The mask has another size, marks nothing (authentic images have no such scores) or everything.
        ValueError: The heat map has values outside [0, 1].
    """
    scores, truth = np.asarray(heat_map), np.asarray(mask)
    if scores.shape != truth.shape or scores.ndim != 2:
        raise InputError(f"the mask has the shape {truth.shape} and the map {scores.shape}; expected (h, w) for both")
    if truth.dtype != bool:
        raise InputError(f"the mask holds {truth.dtype}; expected booleans, true in the splice")
    if truth.all() or not truth.any():
        marked = "every pixel" if truth.any() else "no pixel"
        raise InputError(f"the mask marks {marked}; expected a splice and a background")
    if not (scores.min() >= 0 and scores.max() <= 1):
        raise ValueError(f"expected a map in [0, 1]; received {scores.min()} to {scores.max()}")
    as_given = threshold_curve(scores.ravel(), truth.ravel())
    curves = as_given, as_given.inverted()

    def better(score: Callable[[Curve], float]) -> float:
        return max(score(curve) for curve in curves)

    return {
        "average_precision": better(average_precision),
        "best_f1": better(lambda curve: float(f1(curve).max())),
        "best_mcc": better(lambda curve: float(mcc(curve).max())),
        "best_iou": better(lambda curve: float(balanced_iou(curve).max())),
        "f1": better(lambda curve: float(f1(curve.at([threshold]))[0])),
        "mcc": better(lambda curve: float(mcc(curve.at([threshold]))[0])),
        "iou_as_published": better(iou_as_published),
        "area": float(truth.mean()),
    }


def summarize_maps(scores: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Return the means of `score_map` over forged images.

    Returns p_map (the mean average precision, permuted), its 95 % interval [low, high] over images, the means of the
    other scores under their names, and images. Raises InputError if there is no forged image.
    """
    if not scores:
        raise InputError("no forged image to score; localization needs images with a mask")
    table = {name: np.array([image[name] for image in scores]) for name in scores[0]}
    precision = table.pop("average_precision")
    interval = percentile_interval([precision[drawn].mean() for drawn in resample(np.arange(precision.size))])
    means = {name: float(values.mean()) for name, values in table.items()}
    return {"p_map": float(precision.mean()), "interval": interval.tolist(), **means, "images": len(scores)}


def summarize_detection(scores: ArrayLike, forged: ArrayLike) -> dict[str, Any]:
    """Return the average precision over images of `scores` (images,), higher for forged, against `forged` (images,).

    Returns detection_map, its 95 % interval [low, high] (forged and authentic images are strata), chance (the share of
    forged images, which random scores reach) and images. Raises InputError if all images or none are forged.
    """
    scores, truth = np.asarray(scores, dtype=np.float64), np.asarray(forged, dtype=bool)
    if truth.all() or not truth.any():
        raise InputError(f"{'all' if truth.any() else 'no'} images are forged; detection needs both kinds")
    images = np.arange(truth.size)
    resampled = [average_precision(threshold_curve(scores[drawn], truth[drawn])) for drawn in resample(images, truth)]
    return {
        "detection_map": average_precision(threshold_curve(scores, truth)),
        "interval": percentile_interval(resampled).tolist(),
        "chance": float(truth.mean()),
        "images": int(truth.size),
    }
