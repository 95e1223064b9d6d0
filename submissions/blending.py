"""One answer from many: the mean of members' (or views') probabilities, always summing to one."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from competition.utils.errors import unknown_name

# A float32 softmax cannot say less than this without saying zero, and one zero would veto a class in a
# product.
SMALLEST = float(np.finfo(np.float32).tiny)


def _arithmetic(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return probabilities.mean(axis=0)


def _quadratic(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.square(probabilities).mean(axis=0))


def _geometric(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(np.log(np.maximum(probabilities, SMALLEST)).mean(axis=0))


KINDS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "arithmetic": _arithmetic,
    "quadratic": _quadratic,
    "geometric": _geometric,
}
DEFAULT = "quadratic"  # what the blog's ensemble used for views and for members


def blend(probabilities: ArrayLike, kind: str) -> NDArray[np.float64]:
    """Blend (members or views, images, classes) into (images, classes), float64, each row summing to one.

    `arithmetic` is the mean, `quadratic` the root of the mean square (a sure member counts more than an
    unsure one), `geometric` the mean of logarithms (a member that excludes a class counts more). Neither a
    quadratic nor a geometric mean sums to one by itself, and what follows (log loss, balancing) needs rows
    that compare.

    Raises InputError for an unknown kind, ValueError for another shape, for values that are negative or not
    finite and for an image that nobody gave any probability.
    """
    if kind not in KINDS:
        raise unknown_name("blend", kind, KINDS)
    values = np.asarray(probabilities, dtype=np.float64)
    if values.ndim != 3 or not values.size:
        raise ValueError(f"expected probabilities (members or views, images, classes); got shape {values.shape}")
    if not np.isfinite(values).all() or (values < 0).any() or (values.sum(axis=(0, 2)) == 0).any():
        raise ValueError("expected finite probabilities ≥ 0, some of them above 0 for every image")
    mean = KINDS[kind](values)
    return mean / mean.sum(axis=-1, keepdims=True)
