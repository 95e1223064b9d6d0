"""Log loss: the negative logarithm of the probability that a prediction gave to the truth. Natural logarithm."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from competition.metrics.bootstrap import DRAWS, paired_interval, sum_groups

MIN_PROBABILITY = 1e-15  # one impossible prediction must not make the mean infinite


def log_losses(probabilities: ArrayLike, y_true: ArrayLike) -> NDArray[np.float64]:
    """Return the log loss of every image, float64 (images,).

    Args:
        probabilities: (images, classes).
        y_true: class indices, (images,).
    """
    values, truth = np.asarray(probabilities, np.float64), np.asarray(y_true)
    return -np.log(np.maximum(values[np.arange(len(truth)), truth], MIN_PROBABILITY))


def log_loss_difference(
    first: ArrayLike,
    second: ArrayLike,
    y_true: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> tuple[float, float, float]:
    """Return the mean log loss of `first` minus that of `second` with its paired bootstrap interval (low, high).

    Log loss also counts how sure a prediction is, so it tells two entries apart with far fewer images than accuracy.
    Negative: `first` is better.

    Args:
        first, second: probabilities of two entries for the same images, (images, classes).
        y_true: class indices, (images,).
        groups: name of the photo that each image shows, (images,). Default: every image is its own group.
        seed, draws: see `competition.metrics.bootstrap`.
    """
    names = np.arange(np.size(y_true)) if groups is None else np.asarray(groups)
    losses = [log_losses(probabilities, y_true) for probabilities in (first, second)]
    sums = [sum_groups(np.stack([loss, np.ones_like(loss)], axis=1), names) for loss in losses]
    low, high = paired_interval(sums[0], sums[1], _mean, seed=seed, draws=draws).tolist()
    return float(losses[0].mean() - losses[1].mean()), low, high


def _mean(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean log loss from sums of losses and numbers of images, (strata, draws, 2): (draws,)."""
    losses, images = np.moveaxis(sums.sum(axis=0), -1, 0)
    return np.asarray(losses / images)
