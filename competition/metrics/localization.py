"""Scores of finding splices: where they are (a map against a mask) and whether there is one (a score an image).

A map holds a score in [0, 1] for every pixel. Which of its two ends is the splice cannot be known from the pixels, so
scores of maps are *permuted*: the better one of the map and of 1 − map (Huh et al., ECCV 2018, section 5.2). Both
come from one sort: at a threshold the inverted map marks what the map does not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from competition.utils.errors import InputError

FIXED_THRESHOLD = 0.5
_PUBLISHED_THRESHOLDS = np.linspace(0, 1, 1000)


@dataclass(frozen=True)
class Curve:
    """How many are marked at every threshold that matters, from the strictest, which marks nothing, to the loosest.

    `thresholds` float64, falling from infinity: marked is what scores at least so much. `hits` and `alarms` float64
    (thresholds,): how many of the positives and of the negatives are marked; the last entry marks them all.
    """

    thresholds: NDArray[np.float64]
    hits: NDArray[np.float64]
    alarms: NDArray[np.float64]

    def inverted(self) -> "Curve":
        """The curve of 1 − scores."""
        thresholds = np.append(np.inf, 1 - self.thresholds[:0:-1])
        return Curve(thresholds, self.hits[-1] - self.hits[::-1], self.alarms[-1] - self.alarms[::-1])

    def at(self, thresholds: ArrayLike) -> "Curve":
        """The curve at these thresholds only, and marking everything."""
        chosen = np.searchsorted(-self.thresholds, -np.asarray(thresholds, dtype=np.float64), side="right") - 1
        chosen = np.append(chosen, self.hits.size - 1)
        return Curve(self.thresholds[chosen], self.hits[chosen], self.alarms[chosen])


def threshold_curve(scores: ArrayLike, positive: ArrayLike) -> Curve:
    """The curve of `scores` (n,) against the truth `positive` (n,), boolean, in which both answers occur.

    Raises ValueError for other shapes, NaN, and a truth that is always the same.
    """
    scores, truth = np.asarray(scores, dtype=np.float64), np.asarray(positive)
    if scores.ndim != 1 or scores.shape != truth.shape or truth.dtype != bool:
        raise ValueError(
            f"expected scores (n,) and a boolean truth (n,); got {scores.shape}, {truth.dtype}{truth.shape}"
        )
    if not np.isfinite(scores).all():
        raise ValueError("scores hold NaN or infinite values")
    if truth.all() or not truth.any():
        raise ValueError("all have the same truth; expected positives and negatives")
    order = np.argsort(scores)[::-1]
    falling = scores[order]
    ends = np.append(np.flatnonzero(np.diff(falling)), falling.size - 1)  # equal scores share a threshold
    hits = np.cumsum(truth[order], dtype=np.float64)[ends]
    return Curve(np.append(np.inf, falling[ends]), np.append(0, hits), np.append(0, ends + 1 - hits))


def average_precision(curve: Curve) -> float:
    """Σ (recall − recall before) · precision over thresholds, without interpolation: scikit-learn's definition."""
    precision = curve.hits[1:] / (curve.hits[1:] + curve.alarms[1:])
    return float(np.diff(curve.hits) @ precision / curve.hits[-1])


def f1(curve: Curve) -> NDArray[np.float64]:
    """F1 at every threshold."""
    return 2 * curve.hits / (curve.hits + curve.alarms + curve.hits[-1])


def mcc(curve: Curve) -> NDArray[np.float64]:
    """Matthews' correlation coefficient at every threshold; 0 where everything or nothing is marked."""
    positives, negatives = curve.hits[-1], curve.alarms[-1]
    marked = curve.hits + curve.alarms
    covariance = curve.hits * negatives - curve.alarms * positives
    scale = np.sqrt(marked * (positives + negatives - marked) * positives * negatives)
    return np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0)


def balanced_iou(curve: Curve) -> NDArray[np.float64]:
    """Class-balanced IoU at every threshold: the mean of the IoU of the splice and of the IoU of the background."""
    positives, negatives = curve.hits[-1], curve.alarms[-1]
    splice = curve.hits / (positives + curve.alarms)
    background = (negatives - curve.alarms) / (negatives + positives - curve.hits)
    return (splice + background) / 2


def iou_as_published(curve: Curve) -> float:
    """The class-balanced IoU as the code of "EXIF as Language" (Zheng et al., CVPR 2023) computes it, to compare.

    There the two classes take their best of 1000 thresholds each for itself, and the mask of the background is
    the bitwise complement of a uint8 mask: 255 or 254, both true. The IoU of the background so becomes the share
    of pixels that are not marked, which is 1 (but for pixels that score 1), and a random map scores (1 + area) / 2.
    """
    chosen = curve.at(_PUBLISHED_THRESHOLDS)
    splice = chosen.hits / (curve.hits[-1] + chosen.alarms)
    background = 1 - (chosen.hits + chosen.alarms) / (curve.hits[-1] + curve.alarms[-1])
    return float(splice.max() + background.max()) / 2


def score_map(heat_map: ArrayLike, mask: ArrayLike, threshold: float = FIXED_THRESHOLD) -> dict[str, float]:
    """The scores of one forged image's map, each the better one of the map and of 1 − map.

    `heat_map` (h, w) in [0, 1]; `mask` (h, w) boolean, true where the splice is. Returns average_precision (of
    pixels), best_f1, best_mcc and best_iou (`balanced_iou`), each at its best threshold, f1 and mcc at `threshold`,
    iou_as_published, and area, the share of the splice, which is the average precision of a random map.

    Raises `InputError` for a mask of another size and for one that marks nothing (authentic images take no part
    in these scores) or everything; ValueError for a map outside [0, 1].
    """
    scores, truth = np.asarray(heat_map), np.asarray(mask)
    if scores.shape != truth.shape or scores.ndim != 2:
        raise InputError(f"the mask is of shape {truth.shape} and the map {scores.shape}; expected (h, w) both")
    if truth.dtype != bool:
        raise InputError(f"the mask holds {truth.dtype}; expected booleans, true where the splice is")
    if truth.all() or not truth.any():
        raise InputError(f"the mask marks {'every pixel' if truth.any() else 'no pixel'}; expected a splice and a rest")
    if not (scores.min() >= 0 and scores.max() <= 1):
        raise ValueError(f"expected a map in [0, 1]; got {scores.min()} to {scores.max()}")
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


def summarize_maps(scores: Sequence[Mapping[str, float]]) -> dict[str, float | list[float] | int]:
    """The means of `score_map` over forged images; that of average_precision is the field's p-mAP.

    Returns p_map, its 95 % interval [low, high] over images, the means of the other scores under their names,
    and images. Raises `InputError` where there is no forged image.
    """
    if not scores:
        raise InputError("no forged image to score; localisation needs images with a mask")
    table = {name: np.array([image[name] for image in scores]) for name in scores[0]}
    precision = table.pop("average_precision")
    interval = bootstrap_interval(lambda drawn: float(precision[drawn].mean()), np.zeros(precision.size))
    means = {name: float(values.mean()) for name, values in table.items()}
    return {"p_map": float(precision.mean()), "interval": list(interval), **means, "images": len(scores)}


def summarize_detection(scores: ArrayLike, forged: ArrayLike) -> dict[str, float | list[float] | int]:
    """The average precision over images of `scores` (images,), higher for forged, against `forged` (images,) boolean.

    Returns detection_map, its 95 % interval [low, high] (forged and authentic images are drawn apart), chance (the
    share of forged images, which is what random scores get) and images. Raises `InputError` where there are
    forged or authentic images only.
    """
    scores, truth = np.asarray(scores, dtype=np.float64), np.asarray(forged, dtype=bool)
    if truth.all() or not truth.any():
        raise InputError("detection needs forged and authentic images; got only one of the two")

    def of(drawn: NDArray[np.intp]) -> float:
        return average_precision(threshold_curve(scores[drawn], truth[drawn]))

    return {
        "detection_map": of(np.arange(truth.size)),
        "interval": list(bootstrap_interval(of, truth)),
        "chance": float(truth.mean()),
        "images": int(truth.size),
    }


def bootstrap_interval(
    score: Callable[[NDArray[np.intp]], float],
    stratum: ArrayLike,
    seed: int = 0,
    draws: int = 1000,
    level: float = 0.95,
) -> tuple[float, float]:
    """The percentile interval (low, high) of `score`, a function of indices of images, over `draws` resampled sets.

    `stratum` (images,): images of one stratum are drawn among themselves, so that every set has as many of each.
    """
    stratum = np.asarray(stratum)
    members = [np.flatnonzero(stratum == name) for name in np.unique(stratum)]
    rng = np.random.default_rng(seed)
    sample = [score(np.concatenate([rng.choice(part, part.size) for part in members])) for _ in range(draws)]
    low, high = np.quantile(sample, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
