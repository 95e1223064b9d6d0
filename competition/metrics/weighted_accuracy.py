"""Scores as Kaggle gave them in the IEEE Signal Processing Society camera competition, each with an interval.

A hit on an unaltered image counts 0.7, a hit on a manipulated one 0.3; the score is the weighted share of
hits.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

UNALTERED_WEIGHT = 0.7
MANIPULATED_WEIGHT = 0.3
SMALLEST_PROBABILITY = 1e-15  # one impossible answer must not make the mean log loss infinite


def weighted_accuracy(y_true: ArrayLike, y_pred: ArrayLike, is_manipulated: ArrayLike) -> float:
    """Σ w·[hit] / Σ w with w = 0.7 for unaltered and 0.3 for manipulated images.

    `y_true` and `y_pred` are (images,), both whole numbers or both strings; `is_manipulated` is (images,),
    boolean. Raises ValueError for no images, other lengths, numbers compared with strings, or flags that are
    no flags.
    """
    hits, manipulated = _hits(y_true, y_pred, is_manipulated)
    return float(_weighted(_counts(hits, manipulated).sum(axis=1)))


def bootstrap_interval(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    is_manipulated: ArrayLike,
    seed: int = 0,
    draws: int = 1000,
    level: float = 0.95,
    groups: ArrayLike | None = None,
) -> tuple[float, float]:
    """The percentile interval (low, high) of the weighted accuracy over `draws` resampled sets of images.

    `groups` (images,) names the photograph an image came from: images of one photograph succeed and fail
    together, so whole photographs are drawn; without it every image is its own. Photographs seen unaltered
    only, manipulated only, and both ways are resampled apart, because the share of manipulated images is set
    by whoever makes the test set and is no part of the chance (pooled, it would widen the interval for
    nothing).

    A perfect score gets the interval (1, 1): resampled hits are hits. Read it together with the number of
    images.
    """
    hits, manipulated = _hits(y_true, y_pred, is_manipulated)
    names = np.arange(hits.size) if groups is None else np.asarray(groups)
    if names.shape != hits.shape:
        raise ValueError(f"groups must name one photograph for each of {hits.size} images; got shape {names.shape}")
    group = pd.factorize(names)[0]
    counts = np.stack([np.bincount(group, weights=part) for part in _counts(hits, manipulated)], axis=1)
    # Photographs with equal counts are interchangeable, so drawing n of n photographs with replacement is one
    # multinomial draw over the few distinct outcomes.
    outcomes, photographs = np.unique(counts, axis=0, return_counts=True)
    stratum = (outcomes[:, 0] > 0) + 2 * (outcomes[:, 2] > 0)
    rng = np.random.default_rng(seed)
    sums = np.zeros((draws, 4))
    for chosen in (stratum == s for s in np.unique(stratum)):
        total = int(photographs[chosen].sum())
        drawn = rng.multinomial(total, photographs[chosen] / total, size=draws)
        sums += drawn @ outcomes[chosen]
    low, high = np.quantile(_weighted(sums.T), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def score(
    probabilities: NDArray[np.floating],
    y_true: ArrayLike,
    is_manipulated: ArrayLike,
    y_pred: ArrayLike | None = None,
    groups: ArrayLike | None = None,
) -> dict[str, Any]:
    """Everything a leaderboard row tells of one set of answers, as plain numbers that JSON can hold.

    `probabilities` (images, classes), `y_true` (images,) class indices, `is_manipulated` (images,), `groups`
    as in `bootstrap_interval`. `y_pred` (images,) replaces the most probable class where classes were
    balanced; the log loss (natural logarithm, unweighted mean) is that of the probabilities in any case.

    Returns weighted_accuracy, unaltered_accuracy, manipulated_accuracy, log_loss, interval [low, high] (95 %)
    and images; the accuracy of a part without images is None.
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    truth = np.asarray(y_true)
    if probabilities.ndim != 2 or truth.shape != probabilities.shape[:1]:
        raise ValueError(
            f"expected probabilities (images, classes) and y_true (images,); "
            f"got shapes {probabilities.shape} and {truth.shape}"
        )
    if truth.dtype.kind not in "iu" or not np.isin(truth, np.arange(probabilities.shape[1])).all():
        raise ValueError(f"y_true must hold class indices from 0 to {probabilities.shape[1] - 1}")
    if not np.isfinite(probabilities).all():
        raise ValueError("probabilities hold NaN or infinite values")
    answers = probabilities.argmax(axis=1) if y_pred is None else np.asarray(y_pred)
    hits, manipulated = _hits(truth, answers, is_manipulated)
    of_truth = probabilities[np.arange(truth.size), truth]
    return {
        "weighted_accuracy": weighted_accuracy(truth, answers, manipulated),
        "unaltered_accuracy": _share(hits[~manipulated]),
        "manipulated_accuracy": _share(hits[manipulated]),
        "log_loss": float(-np.log(np.maximum(of_truth, SMALLEST_PROBABILITY)).mean()),
        "interval": list(bootstrap_interval(truth, answers, manipulated, groups=groups)),
        "images": int(truth.size),
    }


def accuracy_table(
    y_true: ArrayLike, y_pred: ArrayLike, manipulation: ArrayLike, classes: Sequence[str]
) -> pd.DataFrame:
    """Accuracy of every manipulation × camera that occurs: columns manipulation, camera, accuracy, images.

    `y_true` and `y_pred` are (images,) indices into `classes`, `manipulation` is (images,) names. Unaltered
    comes first, then the manipulations by name; cameras stand in the order of `classes`.
    """
    manipulation = np.asarray(manipulation)
    hits, _ = _hits(y_true, y_pred, manipulation != "unaltered")
    table = pd.DataFrame({"manipulation": manipulation, "camera": np.asarray(y_true), "hit": hits})
    cells = table.groupby(["manipulation", "camera"])["hit"].agg(accuracy="mean", images="size").reset_index()
    cells["altered"] = cells["manipulation"] != "unaltered"
    cells = cells.sort_values(["altered", "manipulation", "camera"], ignore_index=True)
    cells["camera"] = [classes[index] for index in cells["camera"]]
    return cells[["manipulation", "camera", "accuracy", "images"]]


def _counts(hits: NDArray[np.bool_], manipulated: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(4, images): is it unaltered, and hit; is it manipulated, and hit."""
    return np.stack([~manipulated, ~manipulated & hits, manipulated, manipulated & hits])


def _weighted(counts: NDArray[Any]) -> NDArray[np.float64]:
    """The weighted share of hits from summed `_counts` (4, ...): exactly 1 where all are hits."""
    won = UNALTERED_WEIGHT * counts[1] + MANIPULATED_WEIGHT * counts[3]
    return np.asarray(won / (UNALTERED_WEIGHT * counts[0] + MANIPULATED_WEIGHT * counts[2]))


def _share(hits: NDArray[np.bool_]) -> float | None:
    return float(hits.mean()) if hits.size else None


def _hits(
    y_true: ArrayLike, y_pred: ArrayLike, is_manipulated: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Checked (hits, is_manipulated), both boolean (images,)."""
    truth, answers, flags = np.asarray(y_true), np.asarray(y_pred), np.asarray(is_manipulated)
    if truth.ndim != 1 or not truth.size or not truth.shape == answers.shape == flags.shape:
        raise ValueError(
            f"y_true, y_pred and is_manipulated must be (images,) of one length, at least 1; "
            f"got shapes {truth.shape}, {answers.shape} and {flags.shape}"
        )
    if (truth.dtype.kind in "iu") != (answers.dtype.kind in "iu"):  # would compare as all wrong, silently
        raise ValueError(f"y_true and y_pred must both be numbers or both strings; got {truth.dtype}, {answers.dtype}")
    if flags.dtype.kind not in "biuf" or not np.isin(flags, (0, 1)).all():
        raise ValueError(f"is_manipulated must be boolean (or 0 and 1); got {flags.dtype}")
    return truth == answers, flags.astype(bool)
