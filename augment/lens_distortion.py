"""Radial distortion of lenses: photographs warped by a known coefficient, in patches away from their center."""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from competition.utils.errors import InputError

COEFFICIENTS = (-0.2, -0.1, 0.0, 0.1, 0.2)  # barrel to cushion
CORNERS = 4
# An undistorted photograph's corner, r = 1, moves to 1 + k1. Nothing is known of what lies outside of the strongest
# barrel's corner, so every patch is cut inside of it, whatever its own coefficient: place and frame tell nothing.
KNOWN = 1 + min(COEFFICIENTS)
STEPS = 8  # of Newton's method: more than enough for double precision at the coefficients above


def distorted(points: ArrayLike, k1: float) -> NDArray[np.float64]:
    """Where points of an undistorted photograph appear in the distorted one: x_d = x_u (1 + k1 r²), (…, 2) both.

    Coordinates have their origin at the photograph's center and half its diagonal as their unit, so r is 1 in the
    corners. `k1` below 0 is barrel distortion, above 0 cushion distortion.
    """
    known = np.asarray(points, np.float64)
    return np.asarray(known * (1 + k1 * np.square(known).sum(axis=-1, keepdims=True)))


def undistorted(points: ArrayLike, k1: float) -> NDArray[np.float64]:
    """The inverse of `distorted`, for points whose undistorted ones lie within r ≤ 1: (…, 2) both; k1 above −1/3."""
    seen = np.asarray(points, np.float64)
    far = np.sqrt(np.square(seen).sum(axis=-1, keepdims=True))
    radius = far
    for _ in range(STEPS):
        radius = radius - (radius * (1 + k1 * radius**2) - far) / (1 + 3 * k1 * radius**2)
    return np.asarray(seen * np.divide(radius, far, out=np.ones_like(far), where=far > 0))


def corner_patch(pixels: NDArray[np.uint8], k1: float, size: int, corner: int) -> NDArray[np.uint8]:
    """A patch near a corner of the photograph as a lens with `k1` would have taken it: uint8 (size, size, 3).

    In the center distortion does not show. The patch's outermost pixel lies on the diagonal, at `KNOWN` of the way from
    the center to the corner. Interpolation is bicubic; with `k1` 0 the pixels are the photograph's own.

    Args:
        pixels: uint8 (height, width, 3).
        k1: one of `COEFFICIENTS`, or any between them.
        size: side of the patch, pixels.
        corner: 0 top left, 1 top right, 2 bottom left, 3 bottom right.

    Raises:
        InputError: a photograph too small for such a patch.
    """
    height, width = pixels.shape[:2]
    bottom, right = divmod(corner, 2)
    top, left = _first(height, size, bool(bottom)), _first(width, size, bool(right))
    center = np.array([(width - 1) / 2, (height - 1) / 2])
    unit = np.hypot(width, height) / 2
    across, down = np.meshgrid(np.arange(left, left + size), np.arange(top, top + size))
    source = undistorted((np.stack([across, down], axis=-1) - center) / unit, k1) * unit + center
    # Bicubic interpolation looks at two pixels more on each side; only what is needed is handed on, as OpenCV takes no
    # image with more than 32767 pixels along a side.
    low = np.maximum(np.floor(source.min(axis=(0, 1))).astype(int) - 2, 0)
    high = np.ceil(source.max(axis=(0, 1))).astype(int) + 3
    near = np.ascontiguousarray(pixels[low[1] : high[1], low[0] : high[0]])
    places = (source - low).astype(np.float32)
    return np.asarray(
        cv2.remap(near, places[..., 0], places[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    )


def _first(side: int, size: int, far: bool) -> int:
    """First pixel along a side of a patch near its beginning, or near its end."""
    margin = int(np.ceil(side * (1 - KNOWN) / 2))
    if side - 2 * margin < size:
        raise InputError(
            f"a side of {side} pixels holds no patch of {size} inside of what distortion leaves, {side - 2 * margin} "
            "pixels; remove the photograph, or use a run with smaller patches"
        )
    return side - margin - size if far else margin
