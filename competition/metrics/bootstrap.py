"""Bootstrap intervals: resample whole groups within strata, then take percentiles.

A group holds the images of one photo: they succeed and fail together, so they are drawn together. Strata keep their
sizes: a test set's numbers of images per class, or of manipulated images, are chosen by whoever makes the test set and
are not random.

`resample` serves any statistic. `resample_sums` serves statistics that depend on sums over images, such as accuracies,
and is about 100 times as fast.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS = 1000
LEVEL = 0.95


def resample(
    groups: ArrayLike, strata: ArrayLike | None = None, seed: int = 0, draws: int = DRAWS
) -> Iterator[NDArray[np.intp]]:
    """Yield `draws` resampled sets of images, each as ascending indices with repetitions.

    Args:
        groups: name of each image's group, (images,). Groups are drawn with replacement, as many as there are.
        strata: name of each group's stratum, given for each image, (images,). Groups of a stratum are drawn among
            themselves. Default: one stratum.
    """
    names, first, group = np.unique(np.asarray(groups), return_index=True, return_inverse=True)
    stratum = np.zeros(len(names)) if strata is None else np.asarray(strata)[first]
    members = [np.flatnonzero(stratum == name) for name in np.unique(stratum)]
    images = np.arange(len(group))
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        drawn = np.concatenate([part[rng.integers(0, part.size, part.size)] for part in members])
        yield np.repeat(images, np.bincount(drawn, minlength=len(names))[group])


def sum_groups(values: ArrayLike, groups: ArrayLike) -> NDArray[np.float64]:
    """Sum `values` (images, columns) over the images of each group: (groups, columns), groups in sorted order."""
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.zeros((len(names), np.shape(values)[1]))
    np.add.at(sums, group, np.asarray(values, np.float64))
    return sums


def resample_sums(
    sums: ArrayLike, strata: ArrayLike | None = None, seed: int = 0, draws: int = DRAWS
) -> NDArray[np.float64]:
    """Return the sums over resampled groups, per stratum: (strata, draws, columns), strata in sorted order.

    Args:
        sums: of each group, (groups, columns), see `sum_groups`.
        strata: of each group, (groups,). Default: one stratum.
    """
    sums = np.asarray(sums, np.float64)
    stratum = np.zeros(len(sums)) if strata is None else np.asarray(strata)
    rng = np.random.default_rng(seed)
    resampled = []
    for name in np.unique(stratum):
        # Groups with equal sums are interchangeable: drawing n of n groups is one multinomial draw of the few
        # distinct outcomes.
        outcomes, times = np.unique(sums[stratum == name], axis=0, return_counts=True)
        resampled.append(rng.multinomial(times.sum(), times / times.sum(), draws) @ outcomes)
    return np.stack(resampled)


def percentile_interval(samples: ArrayLike, level: float = LEVEL) -> NDArray[np.float64]:
    """Return the low and the high limit of the central `level` of `samples` (draws, …): (2, …)."""
    return np.quantile(np.asarray(samples), [(1 - level) / 2, (1 + level) / 2], axis=0)


def paired_interval(
    first: ArrayLike,
    second: ArrayLike,
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    strata: ArrayLike | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> NDArray[np.float64]:
    """Return the interval (low, high) of the difference `first` − `second` of two entries' statistics.

    Both entries are resampled together, so what they share, such as difficult photos, cancels out: the interval is
    narrower than the two entries' own intervals suggest.

    Args:
        first, second: sums of each entry over the same groups, (groups, columns), see `sum_groups`.
        statistic: maps sums (strata, draws, columns) to the statistic (draws,).
        strata: of each group, (groups,). Default: one stratum.
    """
    entries = [np.asarray(sums, np.float64) for sums in (first, second)]
    if entries[0].shape != entries[1].shape:
        raise ValueError(f"expected sums of the same groups; received shapes {entries[0].shape} and {entries[1].shape}")
    resampled = resample_sums(np.concatenate(entries, axis=1), strata, seed, draws)
    one, other = np.split(resampled, 2, axis=2)
    return percentile_interval(statistic(one) - statistic(other), level)
