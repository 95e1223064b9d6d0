"""Demosaicing: from one color per pixel to three. All methods expect a mosaic in RGGB phase."""

from collections.abc import Callable

import cv2
import numpy as np

_RATIO_OFFSET = 0.1
_CROSS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
_FULL = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / 4


def demosaic(mosaic: np.ndarray, pattern: str, method: str) -> np.ndarray:
    """Interpolate a mosaic (h, w) with even sides to RGB (h, w, 3), float32.

    The other three phases are mirror images of RGGB. All methods are symmetric, so mirroring is exact.
    """
    red = pattern.index("R")
    axes = tuple(axis for axis, mirrored in enumerate(divmod(red, 2)) if mirrored)
    image = METHODS[method](np.ascontiguousarray(np.flip(mosaic, axes)))
    return np.ascontiguousarray(np.flip(image, axes))


def _filter(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101)


def _samples_at(image: np.ndarray, row: int, column: int) -> np.ndarray:
    """The samples at one position of the 2×2 cell, and zero elsewhere."""
    out = np.zeros_like(image)
    out[row::2, column::2] = image[row::2, column::2]
    return out


def _bilinear_green(mosaic: np.ndarray) -> np.ndarray:
    green = _filter(mosaic, _CROSS)
    green[0::2, 1::2] = mosaic[0::2, 1::2]
    green[1::2, 0::2] = mosaic[1::2, 0::2]
    return green


def _bilinear(mosaic: np.ndarray) -> np.ndarray:
    """Mean of the nearest samples of each color."""
    return cv2.merge(
        [_filter(_samples_at(mosaic, 0, 0), _FULL), _bilinear_green(mosaic), _filter(_samples_at(mosaic, 1, 1), _FULL)]
    )


def _by_difference(mosaic: np.ndarray, green: np.ndarray) -> np.ndarray:
    """Red and blue from interpolated differences to a full green plane."""
    difference = mosaic - green
    return cv2.merge(
        [
            green + _filter(_samples_at(difference, 0, 0), _FULL),
            green,
            green + _filter(_samples_at(difference, 1, 1), _FULL),
        ]
    )


def _smooth_hue(mosaic: np.ndarray) -> np.ndarray:
    """Bilinear green; red and blue from interpolated ratios to green (Cok 1987).

    The offset keeps shadows neutral: the ratio of two small noisy samples is too large on average.
    """
    green = _bilinear_green(mosaic)
    base = green + np.float32(_RATIO_OFFSET)
    ratio = (mosaic + np.float32(_RATIO_OFFSET)) / base
    red, blue = (base * _filter(_samples_at(ratio, at, at), _FULL) - np.float32(_RATIO_OFFSET) for at in (0, 1))
    return cv2.merge([red, green, blue])


_AT_GREEN = (
    np.array(
        [[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]], np.float32
    )
    / 8
)
_AT_OTHER = (
    np.array(
        [[0, 0, -1.5, 0, 0], [0, 2, 0, 2, 0], [-1.5, 0, 6, 0, -1.5], [0, 2, 0, 2, 0], [0, 0, -1.5, 0, 0]], np.float32
    )
    / 8
)
_GREEN = (
    np.array([[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]], np.float32) / 8
)


def _malvar(mosaic: np.ndarray) -> np.ndarray:
    """Gradient-corrected linear interpolation (Malvar, He and Cutler 2004)."""
    along, across, diagonal = (
        _filter(mosaic, _AT_GREEN),
        _filter(mosaic, _AT_GREEN.T.copy()),
        _filter(mosaic, _AT_OTHER),
    )
    green = _filter(mosaic, _GREEN)
    green[0::2, 1::2] = mosaic[0::2, 1::2]
    green[1::2, 0::2] = mosaic[1::2, 0::2]
    red, blue = mosaic.copy(), mosaic.copy()
    red[0::2, 1::2], red[1::2, 0::2], red[1::2, 1::2] = along[0::2, 1::2], across[1::2, 0::2], diagonal[1::2, 1::2]
    blue[0::2, 1::2], blue[1::2, 0::2], blue[0::2, 0::2] = across[0::2, 1::2], along[1::2, 0::2], diagonal[0::2, 0::2]
    return cv2.merge([red, green, blue])


_SECOND = np.array([[-1, 0, 2, 0, -1]], np.float32)
_FIRST = np.array([[1, 0, -1]], np.float32)
_MEAN = np.array([[0.5, 0, 0.5]], np.float32)


def _hamilton_adams(mosaic: np.ndarray) -> np.ndarray:
    """Green along the direction of the smaller gradient, corrected by the other color (Hamilton and Adams 1997)."""
    second_x, second_y = _filter(mosaic, _SECOND), _filter(mosaic, _SECOND.T.copy())
    weight_x = np.abs(_filter(mosaic, _FIRST)) + np.abs(second_x)
    weight_y = np.abs(_filter(mosaic, _FIRST.T.copy())) + np.abs(second_y)
    along = _filter(mosaic, _MEAN) + second_x / 4
    across = _filter(mosaic, _MEAN.T.copy()) + second_y / 4
    green = np.where(weight_x < weight_y, along, across)
    green[0::2, 1::2] = mosaic[0::2, 1::2]
    green[1::2, 0::2] = mosaic[1::2, 0::2]
    return _by_difference(mosaic, green)


def _gradient_weighted(mosaic: np.ndarray) -> np.ndarray:
    """Green as the mean of the four neighbors, weighted by inverse gradients; then differences."""
    total, weights = np.zeros_like(mosaic), np.full_like(mosaic, 1e-12)
    _add_neighbors(mosaic, total, weights)
    _add_neighbors(mosaic.T, total.T, weights.T)
    green = total / weights
    green[0::2, 1::2] = mosaic[0::2, 1::2]
    green[1::2, 0::2] = mosaic[1::2, 0::2]
    return _by_difference(mosaic, green)


def _add_neighbors(mosaic: np.ndarray, total: np.ndarray, weights: np.ndarray) -> None:
    """Add the upper and lower neighbor of each pixel, times its weight, to `total`, and the weight to `weights`. All
    arrays are (h, w)."""
    padded = np.pad(mosaic, ((2, 2), (0, 0)), mode="reflect")
    steps = np.abs(padded[2:] - padded[:-2])
    opposite = steps[1:-1] + np.float32(0.01)
    for near, step in ((padded[1:-3], steps[:-2]), (padded[3:-1], steps[2:])):
        weight = 1 / (step + opposite)
        weights += weight
        weight *= near
        total += weight


METHODS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bilinear": _bilinear,
    "smooth_hue": _smooth_hue,
    "malvar": _malvar,
    "hamilton_adams": _hamilton_adams,
    "gradient_weighted": _gradient_weighted,
}
