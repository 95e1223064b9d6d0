"""Blends that are fitted to validation or out-of-fold predictions: weights, selection and stacking of members.

Their gain is measured by nested cross-validation (`nested`): the blend of an image is fitted to the other groups of
images only. A gain on the images that a blend was fitted to says nothing.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from competition.metrics.log_loss import MIN_PROBABILITY
from competition.utils.errors import InputError, unknown_name
from submissions.blending import average_views
from submissions.prediction_cache import Predictions

GROUPS = 5  # of photos, for the nested cross-validation of runs without folds
SELECTED = 50  # members that `selection` draws, with replacement
SMALLEST = 1e-6  # probabilities below it give `stacking` no further evidence

Values = NDArray[np.float64]  # of all members: (members, images, classes)
Flags = NDArray[np.bool_]  # whether an image is manipulated, (images,)
Blend = Callable[[Values, Flags], NDArray[np.float64]]  # to probabilities (images, classes)


def optimized(values: Values, truth: NDArray[np.int64], flags: Flags) -> Blend:
    """Weights of the members, ≥ 0 with the sum 1, that minimize the log loss of the weighted mean of probabilities.

    The log loss is convex in the weights; it is minimized by sequential quadratic programming (Kraft 1988, SLSQP).

    Args:
        values: probabilities of the members, averaged over views.
        truth: true classes, (images,).
        flags: not used.
    """
    from scipy.optimize import minimize

    of_truth = np.maximum(values[:, np.arange(len(truth)), truth], MIN_PROBABILITY)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        mixed = np.maximum(weights @ of_truth, MIN_PROBABILITY)
        return float(-np.log(mixed).mean()), -(of_truth / mixed).mean(axis=1)

    start = np.full(len(values), 1 / len(values))
    simplex = {"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": np.ones_like}
    found = minimize(loss, start, jac=True, method="SLSQP", bounds=[(0, 1)] * len(values), constraints=simplex).x
    return _weighted(np.clip(found, 0, 1))


def selection(values: Values, truth: NDArray[np.int64], flags: Flags) -> Blend:
    """Greedy selection of members with replacement (Caruana, Niculescu-Mizil, Crew & Ksikes 2004).

    Starting from none, the member is added that minimizes the log loss of the mean of all added ones, `SELECTED` times.
    How often a member was added is its weight. See `optimized` for the arguments.
    """
    of_truth = np.maximum(values[:, np.arange(len(truth)), truth], MIN_PROBABILITY)
    counts, total = np.zeros(len(values)), np.zeros(len(truth))
    for size in range(1, SELECTED + 1):
        best = int(np.log((total + of_truth) / size).mean(axis=1).argmax())
        counts[best] += 1
        total += of_truth[best]
    return _weighted(counts)


def stacking(values: Values, truth: NDArray[np.int64], flags: Flags) -> Blend:
    """Multinomial logistic regression on the log-probabilities of all members and the flag (Wolpert 1992).

    Classes without an image in `truth` get no probability. See `optimized` for the other arguments.

    Args:
        flags: whether each image is manipulated.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    if len(np.unique(truth)) < 2:
        raise InputError("stacking needs validation images of at least 2 cameras; use another --blend")
    with threadpool_limits(1):  # the matrices are so narrow that threads mostly wait for each other
        model = LogisticRegression(max_iter=2000).fit(_features(values, flags), truth)

    def blend(values: Values, flags: Flags) -> NDArray[np.float64]:
        probabilities = np.zeros(values.shape[1:])
        probabilities[:, model.classes_] = model.predict_proba(_features(values, flags))
        return probabilities

    return blend


METHODS: dict[str, Callable[[Values, NDArray[np.int64], Flags], Blend]] = {
    "optimized": optimized,
    "selection": selection,
    "stacking": stacking,
}


def stack_members(members: Mapping[str, Predictions]) -> Values:
    """Return the probabilities of all members, each averaged over its views: float64 (members, images, classes)."""
    return np.stack([average_views(predictions) for predictions in members.values()])


def fit(method: str, values: Values, truth: NDArray[np.int64], flags: Flags) -> Blend:
    """Fit a blend of `METHODS`, see `optimized`. Raises `InputError` for an unknown one, listing the known ones."""
    if method not in METHODS:
        raise unknown_name("blend", method, METHODS)
    return METHODS[method](values, truth, flags)


def nested(
    method: str, values: Values, truth: NDArray[np.int64], flags: Flags, groups: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Blend every image with a blend that was fitted to the images of the other groups only.

    Args:
        method: a name of `METHODS`.
        values, truth, flags: see `optimized`.
        groups: name of each image's group, (images,): the folds of a run, or `photo_groups`.

    Returns:
        Probabilities (images, classes).
    """
    blended = np.empty(values.shape[1:])
    for group in np.unique(groups):
        rows = groups == group
        blended[rows] = fit(method, values[:, ~rows], truth[~rows], flags[~rows])(values[:, rows], flags[rows])
    return blended


def photo_groups(photos: NDArray[np.str_], seed: int = 0) -> NDArray[np.str_]:
    """Divide images into `GROUPS` random groups, such that the images of a photo are in the same group, (images,)."""
    names, photo = np.unique(photos, return_inverse=True)
    group = np.random.default_rng(seed).permutation(len(names)) % min(GROUPS, len(names))
    return group[photo].astype(np.str_)


def _weighted(weights: NDArray[np.float64]) -> Blend:
    share = weights / weights.sum()

    def blend(values: Values, flags: Flags) -> NDArray[np.float64]:
        mean = np.tensordot(share, values, axes=1)
        return mean / mean.sum(axis=-1, keepdims=True)

    return blend


def _features(values: Values, flags: Flags) -> NDArray[np.float64]:
    logarithms = np.log(np.maximum(values, SMALLEST))
    return np.column_stack([*logarithms, flags.astype(np.float64)])
