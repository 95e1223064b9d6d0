"""The score of the IEEE Signal Processing Society camera competition on Kaggle, with bootstrap intervals.

A correct prediction counts 0.7 for an unaltered image and 0.3 for a manipulated one. The score is the weighted share of
correct predictions.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from competition.manipulation import UNALTERED
from competition.metrics.bootstrap import (
    DRAWS,
    LEVEL,
    paired_interval,
    percentile_interval,
    resample_sums,
    sum_groups,
)
from competition.metrics.log_loss import log_losses

UNALTERED_WEIGHT = 0.7
MANIPULATED_WEIGHT = 0.3


def weighted_accuracy(y_true: ArrayLike, y_pred: ArrayLike, is_manipulated: ArrayLike) -> float:
    """Return Σ w·[correct] / Σ w with w = 0.7 for unaltered and 0.3 for manipulated images.

    Args:
        y_true, y_pred: labels, (images,), both integers or both strings.
        is_manipulated: boolean (images,).

    Raises:
        ValueError: No images, different lengths, numbers compared with strings, or flags that are not boolean.
    """
    correct, manipulated = _check(y_true, y_pred, is_manipulated)
    return float(_weighted(_counts(correct, manipulated).sum(axis=0)))


def accuracy_interval(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    is_manipulated: ArrayLike,
    *,
    seed: int = 0,
    draws: int = DRAWS,
    level: float = LEVEL,
    groups: ArrayLike | None = None,
) -> tuple[float, float]:
    """Return the bootstrap interval (low, high) of the weighted accuracy.

    Photos seen unaltered only, manipulated only, and both ways are separate strata. A perfect score has the interval
    (1, 1), so read it together with the number of images.

    Args:
        y_true, y_pred, is_manipulated: see `weighted_accuracy`.
        seed, draws, level: see `competition.metrics.bootstrap`.
        groups: name of the photo that each image shows, (images,). Default: every image is its own group.
    """
    drawn = accuracy_draws(y_true, y_pred, is_manipulated, seed=seed, draws=draws, groups=groups)
    low, high = percentile_interval(drawn, level).tolist()
    return low, high


def accuracy_draws(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    is_manipulated: ArrayLike,
    *,
    seed: int = 0,
    draws: int = DRAWS,
    groups: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return the weighted accuracies of resampled images, (draws,), from which `accuracy_interval` takes percentiles.

    The difference of two entries on other images has the percentiles of the difference of their draws, with two seeds.
    """
    correct, manipulated = _check(y_true, y_pred, is_manipulated)
    names = np.arange(correct.size) if groups is None else np.asarray(groups)
    if names.shape != correct.shape:
        raise ValueError(f"groups must name one photo for each of {correct.size} images; received shape {names.shape}")
    sums = sum_groups(_counts(correct, manipulated), names)
    strata = (sums[:, 0] > 0) + 2 * (sums[:, 2] > 0)
    return _weighted(resample_sums(sums, strata, seed, draws).sum(axis=0))


def accuracy_difference(
    y_true: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    is_manipulated: ArrayLike,
    *,
    seed: int = 0,
    draws: int = DRAWS,
    groups: ArrayLike | None = None,
) -> tuple[float, float, float]:
    """Return the weighted accuracy of `first` minus that of `second` with its paired bootstrap interval (low, high).

    Args:
        y_true: labels, (images,).
        first, second: labels that two entries predict for the same images, (images,).
        is_manipulated, seed, draws, groups: see `accuracy_interval`.
    """
    names = np.arange(np.size(y_true)) if groups is None else np.asarray(groups)
    sums = [sum_groups(_counts(*_check(y_true, labels, is_manipulated)), names) for labels in (first, second)]
    strata = (sums[0][:, 0] > 0) + 2 * (sums[0][:, 2] > 0)
    interval = paired_interval(
        sums[0], sums[1], lambda drawn: _weighted(drawn.sum(axis=0)), strata=strata, seed=seed, draws=draws
    )
    scores = [float(_weighted(entry.sum(axis=0))) for entry in sums]
    return scores[0] - scores[1], float(interval[0]), float(interval[1])


def score(
    probabilities: NDArray[np.floating],
    y_true: ArrayLike,
    is_manipulated: ArrayLike,
    y_pred: ArrayLike | None = None,
    groups: ArrayLike | None = None,
) -> dict[str, Any]:
    """Return the scores of one leaderboard row as plain numbers that JSON can represent.

    Args:
        probabilities: (images, classes).
        y_true: class indices, (images,).
        is_manipulated: boolean (images,).
        y_pred: class indices after balancing, (images,). Default: the most probable classes.
        groups: see `accuracy_interval`.

    Returns:
        weighted_accuracy, unaltered_accuracy, manipulated_accuracy (None without such images), log_loss (natural
        logarithm, unweighted mean, of the probabilities even with `y_pred`), interval [low, high] (95 %) and images.
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    truth = np.asarray(y_true)
    if probabilities.ndim != 2 or truth.shape != probabilities.shape[:1]:
        raise ValueError(
            f"expected probabilities (images, classes) and y_true (images,); "
            f"received shapes {probabilities.shape} and {truth.shape}"
        )
    if truth.dtype.kind not in "iu" or not np.isin(truth, np.arange(probabilities.shape[1])).all():
        raise ValueError(f"y_true must hold class indices from 0 to {probabilities.shape[1] - 1}")
    if not np.isfinite(probabilities).all():
        raise ValueError("probabilities hold NaN or infinite values")
    predicted = probabilities.argmax(axis=1) if y_pred is None else np.asarray(y_pred)
    correct, manipulated = _check(truth, predicted, is_manipulated)
    return {
        "weighted_accuracy": weighted_accuracy(truth, predicted, manipulated),
        "unaltered_accuracy": _mean(correct[~manipulated]),
        "manipulated_accuracy": _mean(correct[manipulated]),
        "log_loss": float(log_losses(probabilities, truth).mean()),
        "interval": list(accuracy_interval(truth, predicted, manipulated, groups=groups)),
        "images": int(truth.size),
    }


def accuracy_table(
    y_true: ArrayLike, y_pred: ArrayLike, manipulation: ArrayLike, classes: Sequence[str]
) -> pd.DataFrame:
    """Return the accuracy of every manipulation × camera that occurs.

    Args:
        y_true, y_pred: indices into `classes`, (images,).
        manipulation: names, (images,).
        classes: names of the cameras.

    Returns:
        Columns manipulation, camera, accuracy, images. Unaltered images come first, then the manipulations by name;
        cameras are in the order of `classes`.
    """
    manipulation = np.asarray(manipulation)
    correct, manipulated = _check(y_true, y_pred, manipulation != UNALTERED)
    table = pd.DataFrame({"manipulation": manipulation, "camera": np.asarray(y_true), "manipulated": manipulated})
    cells = table.assign(correct=correct).groupby(["manipulated", "manipulation", "camera"])["correct"]
    found = cells.agg(accuracy="mean", images="size").reset_index()
    found["camera"] = [classes[index] for index in found["camera"]]
    return found[["manipulation", "camera", "accuracy", "images"]]


def _counts(correct: NDArray[np.bool_], manipulated: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(images, 4): unaltered, unaltered and correct, manipulated, manipulated and correct."""
    return np.stack([~manipulated, ~manipulated & correct, manipulated, manipulated & correct], axis=-1)


def _weighted(counts: NDArray[Any]) -> NDArray[np.float64]:
    """The weighted accuracy from summed `_counts` (…, 4): exactly 1 if all predictions are correct."""
    reached = UNALTERED_WEIGHT * counts[..., 1] + MANIPULATED_WEIGHT * counts[..., 3]
    return np.asarray(reached / (UNALTERED_WEIGHT * counts[..., 0] + MANIPULATED_WEIGHT * counts[..., 2]))


def _mean(correct: NDArray[np.bool_]) -> float | None:
    return float(correct.mean()) if correct.size else None


def _check(
    y_true: ArrayLike, y_pred: ArrayLike, is_manipulated: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return (is the prediction correct, is the image manipulated), both boolean (images,)."""
    truth, predicted, flags = np.asarray(y_true), np.asarray(y_pred), np.asarray(is_manipulated)
    if truth.ndim != 1 or not truth.size or not truth.shape == predicted.shape == flags.shape:
        raise ValueError(
            f"y_true, y_pred and is_manipulated must be (images,) of one length, at least 1; "
            f"received shapes {truth.shape}, {predicted.shape} and {flags.shape}"
        )
    if (truth.dtype.kind in "iu") != (predicted.dtype.kind in "iu"):  # NumPy would compare all of them as different
        raise ValueError(
            f"y_true and y_pred must both be numbers or both strings; received {truth.dtype}, {predicted.dtype}"
        )
    if flags.dtype.kind not in "biuf" or not np.isin(flags, (0, 1)).all():
        raise ValueError(f"is_manipulated must be boolean (or 0 and 1); received {flags.dtype}")
    return truth == predicted, flags.astype(bool)
