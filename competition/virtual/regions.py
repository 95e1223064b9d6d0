"""Random regions to splice into an image: ellipses, polygons and blobs."""

from collections.abc import Callable

import cv2
import numpy as np

MIN_SHARE, MAX_SHARE = 0.02, 0.40  # of the image's area
_CORNERS = 64  # of the polygons that approximate curves


def draw_region(rng: np.random.Generator, height: int, width: int, inside: tuple[int, int], margin: int) -> np.ndarray:
    """Draw a random connected region of an image: boolean (height, width).

    Its area is `MIN_SHARE` to `MAX_SHARE` of the image, log-uniformly distributed as far as the region fits.

    Args:
        rng: Random generator.
        height: Rows of the image.
        width: Columns of the image.
        inside: Rows and columns of the upper left part of the image that contains the region.
        margin: Least distance in pixels between the region and the border of that part.

    Raises:
        ValueError: The part is too small for a region.
    """
    room = np.array(inside[::-1]) - 2 * margin
    if room.prod() < MIN_SHARE * height * width:
        raise ValueError(
            f"expected room for a region of {MIN_SHARE:.0%} of {height}×{width} pixels, "
            f"received {inside[0]}×{inside[1]} pixels with a margin of {margin}"
        )
    while True:
        area = np.exp(rng.uniform(np.log(MIN_SHARE), np.log(MAX_SHARE))) * height * width
        outline = _SHAPES[rng.integers(len(_SHAPES))](rng)
        outline = _rotated(rng, outline) * np.sqrt(area / cv2.contourArea(outline.astype(np.float32)))
        free = room - np.ptp(outline, axis=0)
        if (free < 0).any():
            continue
        corners = outline - outline.min(axis=0) + margin + rng.uniform(0, free)
        region = np.zeros((height, width), np.uint8)
        cv2.fillPoly(region, [np.floor(corners).astype(np.int32)], 1)
        if MIN_SHARE <= region.mean() <= MAX_SHARE:
            return region.astype(bool)


def _polar(radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _circle(rng: np.random.Generator) -> np.ndarray:
    return _polar(np.ones(_CORNERS), np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False))


def _polygon(rng: np.random.Generator) -> np.ndarray:
    count = int(rng.integers(4, 9))
    angle = 2 * np.pi * (np.arange(count) + rng.uniform(-0.3, 0.3, count)) / count
    return _polar(rng.uniform(0.7, 1.3, count), angle)


def _blob(rng: np.random.Generator) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    radius = np.ones(_CORNERS)
    for lobes in (2, 3, 5):
        radius += 0.12 * rng.standard_normal() * np.cos(lobes * angle + rng.uniform(0, 2 * np.pi))
    return _polar(np.maximum(radius, 0.4), angle)


def _rotated(rng: np.random.Generator, outline: np.ndarray) -> np.ndarray:
    """Stretch and rotate `outline` (n, 2) at random."""
    stretch, angle = np.exp(rng.normal(0, 0.2)), rng.uniform(0, 2 * np.pi)
    cosine, sine = np.cos(angle), np.sin(angle)
    return outline * [stretch, 1 / stretch] @ np.array([[cosine, sine], [-sine, cosine]])


_SHAPES: tuple[Callable[[np.random.Generator], np.ndarray], ...] = (_circle, _polygon, _blob)
