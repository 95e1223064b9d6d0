"""Balancing: assign labels under quotas, so that the known class counts of a test set correct uncertain predictions.

In the IEEE Signal Processing Society competition, each of ten cameras took 132 of the unaltered and 132 of the
manipulated images.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from competition.utils.errors import InputError, unknown_name
from submissions.blending import SMALLEST

METHODS = ("none", "greedy", "exact")


def assign(probabilities: ArrayLike, quotas: ArrayLike | None, method: str) -> NDArray[np.int64]:
    """Assign a class to each image, with `quotas[c]` images of class c.

    Args:
        probabilities: (images, classes), finite and ≥ 0.
        quotas: (classes,), the number of images of each class; ignored by the method `none`.
        method: `none`, the most probable class. `greedy`: repeatedly take the most probable pair of an unassigned image
            and a class below its quota. `exact`: the labels with the maximum sum of log-probabilities that keep the
            quotas, an assignment problem with one column per place, solved by scipy (Crouse 2016); about a second for
            2640 images.

    Returns:
        Class indices (images,).

    Raises:
        InputError: unknown method, or quotas that do not add up to the number of images.
        ValueError: probabilities of another shape, negative or not finite.
    """
    if method not in METHODS:
        raise unknown_name("balancing", method, METHODS)
    values = np.asarray(probabilities, dtype=np.float64)
    if values.ndim != 2 or not np.isfinite(values).all() or (values < 0).any():
        raise ValueError(f"expected finite probabilities ≥ 0 (images, classes); got shape {values.shape}")
    if method == "none":
        return values.argmax(axis=1)
    places = _checked(quotas, *values.shape)
    return _greedy(values, places) if method == "greedy" else _exact(values, places)


def assign_within(
    probabilities: ArrayLike, is_manipulated: ArrayLike, quotas: ArrayLike | None, method: str
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
            labels[part] = assign(values[part], row, method)
    return labels


def equal_quotas(images: int, classes: int) -> NDArray[np.int64]:
    """Equal quotas, (classes,). Raises `InputError` if `images` is not a multiple of `classes`."""
    if classes < 1 or images % classes:
        raise InputError(
            f"{images} images cannot be shared equally among {classes} classes; "
            f"choose balancing none, or give a quota for each class that adds up to {images}"
        )
    return np.full(classes, images // classes, dtype=np.int64)


def equal_quotas_within(is_manipulated: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Equal quotas for the unaltered and for the manipulated images, (2, classes), for `assign_within`."""
    manipulated = int(np.count_nonzero(is_manipulated))
    unaltered = np.size(is_manipulated) - manipulated
    return np.stack([equal_quotas(unaltered, classes), equal_quotas(manipulated, classes)])


def _checked(quotas: ArrayLike | None, images: int, classes: int) -> NDArray[np.int64]:
    places = np.asarray(quotas)
    if places.shape != (classes,) or places.dtype.kind not in "iu" or (places < 0).any():
        raise InputError(f"expected one quota, an integer ≥ 0, for each of {classes} classes; got {quotas!r}")
    if places.sum() != images:
        raise InputError(f"the quotas add up to {places.sum()}, but there are {images} images; correct the quotas")
    return places.astype(np.int64)


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


def _exact(probabilities: NDArray[np.float64], quotas: NDArray[np.int64]) -> NDArray[np.int64]:
    # A zero would make the sum -inf, whatever the other images get.
    logarithms = np.log(np.maximum(probabilities, SMALLEST))
    label_of_place = np.repeat(np.arange(len(quotas)), quotas)
    _, place_of_image = linear_sum_assignment(logarithms[:, label_of_place], maximize=True)
    return label_of_place[place_of_image]
