"""Labels under quotas: what is known of a test set's make-up corrects single uncertain answers.

In the IEEE Signal Processing Society competition each of ten cameras took 132 of the unaltered and 132 of the
manipulated images.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from competition.utils.errors import InputError, unknown_name

METHODS = ("none", "greedy", "exact")


def assign(probabilities: ArrayLike, quotas: ArrayLike | None, method: str) -> NDArray[np.int64]:
    """Class indices (images,) for `probabilities` (images, classes), `quotas[c]` images of class c.

    `none`: the most probable class; quotas are not looked at and may be None.
    `greedy`: of all pairs of an image without a label and a class with room, the most probable comes next.
    `exact`: the labels of maximum total log-probability among all that keep the quotas: an assignment problem
    with one column per place, solved by scipy (Crouse 2016). About a second for 2640 images at once.

    Raises InputError for an unknown method and for quotas that do not add up to the number of images,
    ValueError for probabilities of another shape, negative or not finite.
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
    """`assign` within the unaltered images and, apart from them, within the manipulated: indices (images,).

    `quotas` is (2, classes), first for the unaltered, then for the manipulated images, or (classes,) for
    either part. Pooled quotas would let errors among the manipulated images displace right answers among the
    unaltered.
    """
    values = np.asarray(probabilities)
    flags = np.asarray(is_manipulated, dtype=bool)
    if values.ndim != 2 or flags.shape != values.shape[:1]:
        raise ValueError(f"expected (images, classes) and (images,); got shapes {values.shape} and {flags.shape}")
    if quotas is not None and np.shape(quotas) not in ((values.shape[1],), (2, values.shape[1])):
        raise InputError(
            f"quotas of shape {np.shape(quotas)} do not fit; expected one for each of {values.shape[1]} "
            f"classes, or two such rows (unaltered, manipulated)"
        )
    rows = (None, None) if quotas is None else np.broadcast_to(np.asarray(quotas), (2, values.shape[1]))
    labels = np.empty(len(flags), dtype=np.int64)
    for part, row in zip((~flags, flags), rows, strict=True):
        if part.any():
            labels[part] = assign(values[part], row, method)
    return labels


def equal_quotas(images: int, classes: int) -> NDArray[np.int64]:
    """The same number of images for each class, (classes,).

    InputError where `images` cannot be shared out equally: nothing says whose the remainder is.
    """
    if classes < 1 or images % classes:
        raise InputError(
            f"{images} images cannot be shared equally among {classes} classes; "
            f"choose balancing none, or give a quota for each class that adds up to {images}"
        )
    return np.full(classes, images // classes, dtype=np.int64)


def equal_quotas_within(is_manipulated: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Equal quotas of the unaltered and of the manipulated images, (2, classes), for `assign_within`."""
    manipulated = int(np.count_nonzero(is_manipulated))
    unaltered = np.size(is_manipulated) - manipulated
    return np.stack([equal_quotas(unaltered, classes), equal_quotas(manipulated, classes)])


def _checked(quotas: ArrayLike | None, images: int, classes: int) -> NDArray[np.int64]:
    places = np.asarray(quotas)
    if places.shape != (classes,) or places.dtype.kind not in "iu" or (places < 0).any():
        raise InputError(f"expected one quota, a whole number ≥ 0, for each of {classes} classes; got {quotas!r}")
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
    # The smallest float32 softmax can say; a zero would make the total -inf whatever the other images get.
    logarithms = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    label_of_place = np.repeat(np.arange(len(quotas)), quotas)
    _, place_of_image = linear_sum_assignment(logarithms[:, label_of_place], maximize=True)
    return label_of_place[place_of_image]
