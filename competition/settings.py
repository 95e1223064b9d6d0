"""Camera settings as classes: bins of aperture, ISO and exposure time.

Laurence & Murphy, "Camera settings prediction using deep convolutional neural networks" (2018), section 2.3. Their
equation 1 is misprinted; the bins of their table 1 follow from x_max = x_min · c^N.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from competition.utils.errors import InputError, unknown_name


@dataclass(frozen=True)
class Setting:
    """One camera setting.

    column: of the manifest. low, high: the range that the paper divides into bins (values outside belong to the
    outermost). logarithmic: how it is divided. least, most: what any camera can have been set to; EXIF values beyond
    are mistakes. unit: how a value is written.
    """

    column: str
    low: float
    high: float
    logarithmic: bool
    least: float
    most: float
    unit: str


SETTINGS: dict[str, Setting] = {  # in the order in which the paper's loss schedule begins with them
    "aperture": Setting("f_number", 0.7, 7, logarithmic=False, least=0.5, most=128, unit="f/{}"),
    "iso": Setting("iso", 100, 1000, logarithmic=True, least=1, most=5_000_000, unit="ISO {}"),
    "exposure_time": Setting("exposure_time", 1e-4, 1, logarithmic=True, least=1e-6, most=86_400, unit="{} s"),
}
FEWEST_BINS = 2
# Common values lie on edges (f/2.8 is one): they must not fall to either side by the noise of floating point.
DIGITS = 4
UNKNOWN = -1  # the bin of a value that is missing or cannot be true


def bin_edges(setting: str, bins: int) -> NDArray[np.float64]:
    """The inner edges of the paper's bins, ascending, (bins - 1,), rounded to four significant digits.

    Linear for the aperture, logarithmic for ISO and exposure time (seconds). Raises `InputError` for an unknown setting
    and for fewer than two bins.
    """
    known = find_setting(setting)
    _check(bins)
    parts = np.arange(1, bins) / bins
    if known.logarithmic:
        edges = known.low * (known.high / known.low) ** parts
    else:
        edges = known.low + (known.high - known.low) * parts
    return _rounded(edges)


def quantile_edges(setting: str, values: ArrayLike, bins: int) -> NDArray[np.float64]:
    """Inner edges that put about equally many of `values` into each bin, (bins - 1,), ascending.

    Section 4.5 asks for the trade-off between a bin's population and its significance: these are the one end. Raises
    `InputError` where too few different values are known.
    """
    _check(bins)
    numbers = sensible(setting, values)
    known, population = np.unique(numbers[~np.isnan(numbers)], return_counts=True)
    if len(known) < bins:
        raise InputError(
            f"{len(known)} different values of {setting} do not fill {bins} bins; use fewer bins, or add photographs"
        )
    below = population.cumsum()
    chosen = [-1]  # the last value of each bin
    for number in range(1, bins):
        least, most = chosen[-1] + 1, len(known) - 1 - (bins - number)  # every bin to come needs a value, too
        missed = np.abs(below[least : most + 1] - below[-1] * number / bins)
        chosen.append(least + int(missed.argmin()))
    last = np.array(chosen[1:])
    return np.sqrt(known[last] * known[last + 1])  # between two values, so that no value lies on an edge


def bins_of(setting: str, values: ArrayLike, edges: ArrayLike) -> NDArray[np.int32]:
    """The bin of each value, 0 … len(edges), int32; a value on an edge belongs to the right of it.

    `UNKNOWN` where a value is missing, zero, or beyond what any camera can be set to.
    """
    known = sensible(setting, values)
    return np.where(np.isnan(known), UNKNOWN, np.searchsorted(np.asarray(edges), known, side="right")).astype(np.int32)


def sensible(setting: str, values: ArrayLike) -> NDArray[np.float64]:
    """The values as float64, NaN where they are missing, zero or absurd."""
    limits = find_setting(setting)
    numbers = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        return np.where((numbers >= limits.least) & (numbers <= limits.most), numbers, np.nan)


def bin_names(setting: str, edges: Sequence[float]) -> tuple[str, ...]:
    """How the bins are written, such as `below f/2.8`, `f/2.8 to f/4.9`, `from f/4.9`."""
    marks = [find_setting(setting).unit.format(f"{edge:g}") for edge in _rounded(edges)]
    middle = [f"{left} to {right}" for left, right in pairwise(marks)]
    return (f"below {marks[0]}", *middle, f"from {marks[-1]}")


def labels(table: pd.DataFrame, edges: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.int32]]:
    """The bins of a manifest's rows by setting, each int32 (rows,)."""
    return {name: bins_of(name, table[SETTINGS[name].column], inner) for name, inner in edges.items()}


def cells(bins: Mapping[str, NDArray[np.int32]], counts: Sequence[int]) -> NDArray[np.int32]:
    """The cell of the space of all settings that each row lies in: int32 (rows,), `UNKNOWN` where a bin is.

    `counts`: the number of bins of each setting. The last setting changes fastest.
    """
    stacked = np.stack(list(bins.values()))
    cell = np.ravel_multi_index(tuple(np.maximum(stacked, 0)), tuple(counts))
    return np.where((stacked == UNKNOWN).any(axis=0), UNKNOWN, cell).astype(np.int32)


def find_setting(name: str) -> Setting:
    """The setting of that name; an unknown one is an `InputError`."""
    if name not in SETTINGS:
        raise unknown_name("setting", name, SETTINGS)
    return SETTINGS[name]


def _check(bins: int) -> None:
    if bins < FEWEST_BINS:
        raise InputError(f"received {bins} bin(s); settings need at least {FEWEST_BINS}")


def _rounded(edges: ArrayLike) -> NDArray[np.float64]:
    return np.array([float(f"{edge:.{DIGITS}g}") for edge in np.asarray(edges)])
