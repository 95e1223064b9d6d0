"""Simulated radial lens distortion: patches near a corner of a photo, warped with a known coefficient."""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from competition.utils.errors import InputError

COEFFICIENTS = (-0.2, -0.1, 0.0, 0.1, 0.2)  # barrel to pincushion
CORNERS = 4
# The corner of a photo, r = 1, moves to r = 1 + k1. Beyond the corner of the strongest barrel distortion there are no
# source pixels. All patches are cut inside of that radius, so that neither position nor a frame shows the coefficient.
INNER_RADIUS = 1 + min(COEFFICIENTS)
NEWTON_STEPS = 8  # more than enough for double precision at the coefficients above


def distort_points(points: ArrayLike, k1: float) -> NDArray[np.float64]:
    """Return the positions in the distorted photo of points of the undistorted photo: x_d = x_u (1 + k1 r²).

    `points` and the result are (…, 2). The origin is the center of the photo and the unit is half its diagonal, so r is
    1 in the corners. Negative `k1` is barrel distortion, positive `k1` is pincushion distortion.
    """
    sources = np.asarray(points, np.float64)
    return np.asarray(sources * (1 + k1 * np.square(sources).sum(axis=-1, keepdims=True)))


def undistort_points(points: ArrayLike, k1: float) -> NDArray[np.float64]:
    """Invert `distort_points` for points whose sources lie within r ≤ 1; `k1` must be above −1/3."""
    positions = np.asarray(points, np.float64)
    distorted_radius = np.sqrt(np.square(positions).sum(axis=-1, keepdims=True))
    radius = distorted_radius
    for _ in range(NEWTON_STEPS):
        radius = radius - (radius * (1 + k1 * radius**2) - distorted_radius) / (1 + 3 * k1 * radius**2)
    ratio = np.divide(radius, distorted_radius, out=np.ones_like(radius), where=distorted_radius > 0)
    return np.asarray(positions * ratio)


def distorted_patch(pixels: NDArray[np.uint8], k1: float, size: int, corner: int) -> NDArray[np.uint8]:
    """Cut a patch near a corner of a photo as a lens with radial distortion `k1` would have taken it.

    Distortion vanishes in the center of a photo. The outermost pixel of the patch lies on the diagonal, at
    `INNER_RADIUS` of the distance from the center to the corner. Interpolation is bicubic; with `k1` = 0 the pixels are
    copied unchanged.

    Args:
        pixels: the photo, uint8 (height, width, 3).
        k1: distortion coefficient, in the range of `COEFFICIENTS`.
        size: side of the patch, pixels.
        corner: 0 top left, 1 top right, 2 bottom left, 3 bottom right.

    Returns:
        uint8 (size, size, 3).

    Raises:
        InputError: the photo is too small for such a patch.
    """
    height, width = pixels.shape[:2]
    bottom, right = divmod(corner, 2)
    top, left = _first_pixel(height, size, bool(bottom)), _first_pixel(width, size, bool(right))
    center = np.array([(width - 1) / 2, (height - 1) / 2])
    unit = np.hypot(width, height) / 2
    across, down = np.meshgrid(np.arange(left, left + size), np.arange(top, top + size))
    source = undistort_points((np.stack([across, down], axis=-1) - center) / unit, k1) * unit + center
    # Bicubic interpolation reads two more pixels on each side. Only the part that is needed is passed on, as OpenCV
    # rejects images with more than 32767 pixels along a side.
    low = np.maximum(np.floor(source.min(axis=(0, 1))).astype(int) - 2, 0)
    high = np.ceil(source.max(axis=(0, 1))).astype(int) + 3
    nearby = np.ascontiguousarray(pixels[low[1] : high[1], low[0] : high[0]])
    positions = (source - low).astype(np.float32)
    return np.asarray(
        cv2.remap(nearby, positions[..., 0], positions[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    )


def _first_pixel(side: int, size: int, at_end: bool) -> int:
    """Return the first pixel along a side of a patch near its start or its end."""
    margin = int(np.ceil(side * (1 - INNER_RADIUS) / 2))
    if side - 2 * margin < size:
        raise InputError(
            f"expected a side with at least {size} px inside of the largest distortion, received {side - 2 * margin} of"
            f" {side} px; remove the photo, or use a run with smaller patches"
        )
    return side - margin - size if at_end else margin
