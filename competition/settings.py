"""Camera settings as classes: bins of aperture, ISO and exposure time.

Laurence & Murphy, "Camera settings prediction using deep convolutional neural networks" (2018), section 2.3. Their
equation 1 is misprinted. The bins of their table 1 follow from x_max = x_min · c^N.
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

    Attributes:
        column: column of the manifest.
        low, high: range that the paper divides into bins. Values outside belong to the outermost bins.
        logarithmic: whether the range is divided evenly on a logarithmic scale.
        minimum, maximum: limits of what a camera can be set to. EXIF values outside are errors.
        unit: format of a value.
    """

    column: str
    low: float
    high: float
    logarithmic: bool
    minimum: float
    maximum: float
    unit: str


SETTINGS: dict[str, Setting] = {  # in the order of the paper's loss schedule
    "aperture": Setting("f_number", 0.7, 7, logarithmic=False, minimum=0.5, maximum=128, unit="f/{}"),
    "iso": Setting("iso", 100, 1000, logarithmic=True, minimum=1, maximum=5_000_000, unit="ISO {}"),
    "exposure_time": Setting("exposure_time", 1e-4, 1, logarithmic=True, minimum=1e-6, maximum=86_400, unit="{} s"),
}
MIN_BINS = 2
# Common values lie on edges (f/2.8 is one). Rounded edges keep floating-point errors from moving them to either side.
DIGITS = 4
UNKNOWN = -1  # the bin of a value that is missing or implausible


def bin_edges(setting: str, bins: int) -> NDArray[np.float64]:
    """Return the inner edges of the paper's bins, ascending, (bins - 1,), rounded to four significant digits.

    The edges are evenly spaced for the aperture, and evenly spaced on a logarithmic scale for ISO and exposure time (in
    seconds). Raises InputError for an unknown setting and for fewer than two bins.
    """
    known = find_setting(setting)
    _check_bins(bins)
    parts = np.arange(1, bins) / bins
    if known.logarithmic:
        edges = known.low * (known.high / known.low) ** parts
    else:
        edges = known.low + (known.high - known.low) * parts
    return _rounded(edges)


def quantile_edges(setting: str, values: ArrayLike, bins: int) -> NDArray[np.float64]:
    """Return inner edges that put about equally many of `values` into each bin, ascending, (bins - 1,).

    Equal populations are one end of the trade-off between the population and the significance of bins (section 4.5 of
    the paper). Raises InputError if `values` has fewer different plausible values than bins.
    """
    _check_bins(bins)
    numbers = plausible_values(setting, values)
    known, population = np.unique(numbers[~np.isnan(numbers)], return_counts=True)
    if len(known) < bins:
        raise InputError(
            f"{len(known)} different values of {setting} do not fill {bins} bins; use fewer bins, or add photos"
        )
    cumulative = population.cumsum()
    last = [-1]  # index of the last value of each bin
    for number in range(1, bins):
        first, stop = last[-1] + 1, len(known) - (bins - number)  # each further bin needs a value, too
        error = np.abs(cumulative[first:stop] - cumulative[-1] * number / bins)
        last.append(first + int(error.argmin()))
    below = np.array(last[1:])
    return np.sqrt(known[below] * known[below + 1])  # between two values, so that no value lies on an edge


def assign_bins(setting: str, values: ArrayLike, edges: ArrayLike) -> NDArray[np.int32]:
    """Return the bin of each value, 0 … len(edges), int32. A value on an edge belongs to the bin above it.

    The bin is `UNKNOWN` for values that are missing, zero or implausible.
    """
    known = plausible_values(setting, values)
    return np.where(np.isnan(known), UNKNOWN, np.searchsorted(np.asarray(edges), known, side="right")).astype(np.int32)


def plausible_values(setting: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return the values as float64, with NaN for values that are missing, zero or outside the setting's limits."""
    known = find_setting(setting)
    numbers = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        return np.where((numbers >= known.minimum) & (numbers <= known.maximum), numbers, np.nan)


def bin_names(setting: str, edges: Sequence[float]) -> tuple[str, ...]:
    """Return the names of the bins, such as `below f/2.8`, `f/2.8 to f/4.9`, `from f/4.9`."""
    marks = [find_setting(setting).unit.format(f"{edge:g}") for edge in _rounded(edges)]
    inner = [f"{left} to {right}" for left, right in pairwise(marks)]
    return (f"below {marks[0]}", *inner, f"from {marks[-1]}")


def bin_labels(table: pd.DataFrame, edges: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.int32]]:
    """Return the bins of a manifest's rows: setting → int32 (rows,)."""
    return {name: assign_bins(name, table[SETTINGS[name].column], inner) for name, inner in edges.items()}


def joint_cells(bins: Mapping[str, NDArray[np.int32]], counts: Sequence[int]) -> NDArray[np.int32]:
    """Return each row's cell in the joint space of several settings: int32 (rows,), `UNKNOWN` if any bin is.

    `counts`: the number of bins of each setting. The last setting varies fastest.
    """
    stacked = np.stack(list(bins.values()))
    cell = np.ravel_multi_index(tuple(np.maximum(stacked, 0)), tuple(counts))
    return np.where((stacked == UNKNOWN).any(axis=0), UNKNOWN, cell).astype(np.int32)


def find_setting(name: str) -> Setting:
    """Return the setting of that name. Raises InputError for an unknown one."""
    if name not in SETTINGS:
        raise unknown_name("setting", name, SETTINGS)
    return SETTINGS[name]


def _check_bins(bins: int) -> None:
    if bins < MIN_BINS:
        raise InputError(f"received {bins} bin(s); settings need at least {MIN_BINS}")


def _rounded(edges: ArrayLike) -> NDArray[np.float64]:
    return np.array([float(f"{edge:.{DIGITS}g}") for edge in np.asarray(edges)])
