"""Regions of a picture as a forger cuts them out: ellipses, polygons and blobs."""

from collections.abc import Callable

import cv2
import numpy as np

LEAST, MOST = 0.02, 0.40  # of the picture's area
_CORNERS = 64  # of what is round


def draw_region(rng: np.random.Generator, height: int, width: int, inside: tuple[int, int], margin: int) -> np.ndarray:
    """A random region of a picture: (height, width) boolean, one connected piece of `LEAST` to `MOST` of the area.

    It keeps `margin` pixels from the border of the upper left window `inside` (rows, columns). Areas are evenly
    spread in logarithm, as far as they fit.
    """
    room = np.array(inside[::-1]) - 2 * margin
    if room.prod() < LEAST * height * width:
        raise ValueError(f"a window of {inside} less {margin} at each side has no room for a region")
    while True:
        area = np.exp(rng.uniform(np.log(LEAST), np.log(MOST))) * height * width
        outline = _SHAPES[rng.integers(len(_SHAPES))](rng)
        outline = _turned(rng, outline) * np.sqrt(area / cv2.contourArea(outline.astype(np.float32)))
        free = room - np.ptp(outline, axis=0)
        if (free < 0).any():
            continue
        corners = outline - outline.min(axis=0) + margin + rng.uniform(0, free)
        region = np.zeros((height, width), np.uint8)
        cv2.fillPoly(region, [np.floor(corners).astype(np.int32)], 1)
        if LEAST <= region.mean() <= MOST:
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


def _turned(rng: np.random.Generator, outline: np.ndarray) -> np.ndarray:
    """`outline` (n, 2), stretched and turned at random."""
    stretch, dihedral = np.exp(rng.normal(0, 0.2)), rng.uniform(0, 2 * np.pi)
    cosine, sine = np.cos(dihedral), np.sin(dihedral)
    return outline * [stretch, 1 / stretch] @ np.array([[cosine, sine], [-sine, cosine]])


_SHAPES: tuple[Callable[[np.random.Generator], np.ndarray], ...] = (_circle, _polygon, _blob)
