"""The time of a call, and the format of ratios of interleaved rounds, which differ less between machines."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike


def summary(ratios: ArrayLike, digits: int = 2) -> str:
    """Format the median of some ratios, and the lowest and the highest: `1.02 (0.95 to 1.47)`."""
    values = np.asarray(ratios, np.float64)
    median, low, high = (f"{value:.{digits}f}" for value in (np.median(values), values.min(), values.max()))
    return f"{median} ({low} to {high})"


def seconds(work: Callable[[], object]) -> float:
    """Return the wall-clock time of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
