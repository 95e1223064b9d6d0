"""Balancing: labels from uncertain predictions and what is known, or can be estimated, of a test set's class counts.

In the IEEE Signal Processing Society competition, each of ten cameras took 132 of the unaltered and 132 of the
manipulated images.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from competition.utils.errors import InputError, unknown_name
from submissions.blending import SMALLEST
from submissions.transport import entropic_prices, transport

WITH_QUOTAS = ("greedy", "exact")  # methods that need quotas and keep them
METHODS = ("none", *WITH_QUOTAS, "soft", "prior")
PRECISION = 1e-6  # of class shares that are found by iteration
STEPS = 1000  # maximum number of iterations


def assign(
    probabilities: ArrayLike, quotas: ArrayLike | None, method: str, training_shares: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Assign a class to each image.

    Args:
        probabilities: (images, classes), finite and ≥ 0.
        quotas: (classes,), the number of images of each class; ignored by the methods `none` and `prior`.
        method: `none`, the most probable class. `greedy`: repeatedly take the most probable pair of an unassigned image
            and a class below its quota. `exact`: the labels with the maximum sum of log-probabilities that keep the
            quotas, see `submissions.transport.transport`. `soft`: the most probable class after each class is
            multiplied by a factor (Sinkhorn & Knopp 1967) such that the expected counts are the quotas, which may be
            fractions; the counts of the labels come close. Without quotas, `soft` expects equal shares. `prior`: the
            most probable class under class shares that are estimated from the predictions, see `estimate_shares`.
        training_shares: (classes,), above 0, shares or numbers of training images, for the method `prior`; None for
            equal shares.

    Returns:
        Class indices (images,).

    Raises:
        InputError: unknown method, or quotas that do not add up to the number of images.
        ValueError: probabilities of another shape, negative or not finite; training shares not above 0.
    """
    if method not in METHODS:
        raise unknown_name("balancing", method, METHODS)
    values = np.asarray(probabilities, dtype=np.float64)
    if values.ndim != 2 or not np.isfinite(values).all() or (values < 0).any():
        raise ValueError(f"expected finite probabilities ≥ 0 (images, classes); got shape {values.shape}")
    images, classes = values.shape
    if method == "none" or not images:
        return values.argmax(axis=1)
    if method == "prior":
        trained = _shares(training_shares, classes)
        return (values * (estimate_shares(values, trained) / trained)).argmax(axis=1)
    if method == "soft":
        return _soft(values, np.full(classes, images / classes) if quotas is None else quotas)
    places = _checked(quotas, images, classes, "iu").astype(np.int64)
    if method == "greedy":
        return _greedy(values, places)
    return transport(_logarithms(values), places)


def assign_within(
    probabilities: ArrayLike,
    is_manipulated: ArrayLike,
    quotas: ArrayLike | None,
    method: str,
    training_shares: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Apply `assign` to the unaltered and to the manipulated images separately; returns indices (images,).

    `quotas` is (2, classes), for the unaltered and for the manipulated images, or (classes,) for both. With pooled
    quotas, errors among the manipulated images would displace right predictions among the unaltered ones.
    """
    values = np.asarray(probabilities)
    flags = np.asarray(is_manipulated, dtype=bool)
    if values.ndim != 2 or flags.shape != values.shape[:1]:
        raise ValueError(f"expected (images, classes) and (images,); got shapes {values.shape} and {flags.shape}")
    if quotas is not None and np.shape(quotas) not in ((values.shape[1],), (2, values.shape[1])):
        raise InputError(
            f"received quotas of shape {np.shape(quotas)}; expected one for each of {values.shape[1]} classes, "
            "or two such rows (unaltered, manipulated)"
        )
    rows = (None, None) if quotas is None else np.broadcast_to(np.asarray(quotas), (2, values.shape[1]))
    labels = np.empty(len(flags), dtype=np.int64)
    for part, row in zip((~flags, flags), rows, strict=True):
        if part.any():
            labels[part] = assign(values[part], row, method, training_shares)
    return labels


def estimate_shares(probabilities: ArrayLike, training_shares: ArrayLike | None = None) -> NDArray[np.float64]:
    """Estimate the class shares of a test set by expectation–maximization (Saerens, Latinne & Decaestecker 2002).

    The images are assumed to differ from the training images in the shares of the classes only. Then the maximum of
    the likelihood is found by turns: probabilities under the current shares, and shares as their means.

    Args:
        probabilities: (images, classes), finite and ≥ 0, of a classifier that was trained with `training_shares`. If
            they are overconfident, the shares stay close to those of the most probable classes.
        training_shares: (classes,), above 0, shares or numbers of images; None for equal shares.

    Returns:
        Shares (classes,) that add up to one.
    """
    values = np.maximum(np.asarray(probabilities, dtype=np.float64), SMALLEST)
    trained = _shares(training_shares, values.shape[1])
    shares = trained
    for _ in range(STEPS):
        ratio = shares / trained
        estimate = ratio * ((1 / (values @ ratio)) @ values) / len(values)
        change, shares = np.abs(estimate - shares).max(), estimate
        if change <= PRECISION:
            break
    return shares / shares.sum()


def equal_quotas(images: int, classes: int) -> NDArray[np.int64]:
    """Equal quotas, (classes,). Raises `InputError` if `images` is not a multiple of `classes`."""
    if classes < 1 or images % classes:
        raise InputError(
            f"{images} images cannot be shared equally among {classes} classes; "
            f"choose balancing none, soft or prior, or give a quota for each class that adds up to {images}"
        )
    return np.full(classes, images // classes, dtype=np.int64)


def equal_quotas_within(is_manipulated: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Equal quotas for the unaltered and for the manipulated images, (2, classes), for `assign_within`."""
    manipulated = int(np.count_nonzero(is_manipulated))
    unaltered = np.size(is_manipulated) - manipulated
    return np.stack([equal_quotas(unaltered, classes), equal_quotas(manipulated, classes)])


def _shares(training_shares: ArrayLike | None, classes: int) -> NDArray[np.float64]:
    shares = np.ones(classes) if training_shares is None else np.asarray(training_shares, dtype=np.float64)
    if shares.shape != (classes,) or not np.isfinite(shares).all() or (shares <= 0).any():
        raise ValueError(f"expected training shares above 0 for each of {classes} classes; got {training_shares!r}")
    return shares / shares.sum()


def _checked(quotas: ArrayLike | None, images: int, classes: int, kinds: str) -> NDArray[np.number]:
    """Check quotas whose dtype is of one of `kinds`."""
    places = np.asarray(quotas)
    if places.shape != (classes,) or places.dtype.kind not in kinds or not (places >= 0).all():
        number = "a number" if "f" in kinds else "an integer"
        raise InputError(f"expected one quota, {number} ≥ 0, for each of {classes} classes; got {quotas!r}")
    if not np.isclose(places.sum(), images, rtol=1e-9):
        raise InputError(f"the quotas add up to {places.sum()}, but there are {images} images; correct the quotas")
    return places


def _logarithms(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    # A zero would make a sum of logarithms -inf, whatever the other images get.
    return np.log(np.maximum(probabilities, SMALLEST))


def _greedy(probabilities: NDArray[np.float64], quotas: NDArray[np.int64]) -> NDArray[np.int64]:
    images, classes = probabilities.shape
    labels = np.full(images, -1, dtype=np.int64)
    room = quotas.copy()
    for pair in np.argsort(-probabilities, axis=None, kind="stable"):
        image, label = divmod(int(pair), classes)
        if labels[image] < 0 and room[label]:
            labels[image] = label
            room[label] -= 1
    return labels


def _soft(probabilities: NDArray[np.float64], quotas: ArrayLike) -> NDArray[np.int64]:
    images, classes = probabilities.shape
    places = _checked(quotas, images, classes, "iuf")
    used = np.flatnonzero(places)
    scores = _logarithms(probabilities[:, used])
    start = np.zeros(len(used))
    prices = entropic_prices(scores, places[used], start, 1.0, tolerance=PRECISION * images, steps=STEPS)
    return used[(scores - prices).argmax(axis=1)]
