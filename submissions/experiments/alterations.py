"""What is done to an image after the camera, each kind at several strengths."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augment.crops import JPEG_BLOCK, center_offset
from augment.manipulations import jpeg

Pixels = NDArray[np.uint8]  # (height, width, 3) RGB


@dataclass(frozen=True)
class Alteration:
    """One kind of alteration.

    Attributes:
        title: what the levels are, with their unit.
        levels: strengths, from the weakest on.
        apply: function (pixels, level, rng) → pixels.
    """

    title: str
    levels: tuple[float, ...]
    apply: Callable[[Pixels, float, np.random.Generator], Pixels]


def _compress(pixels: Pixels, quality: float, rng: np.random.Generator) -> Pixels:
    return jpeg(pixels, int(quality))


def _scale(pixels: Pixels, scale: float, rng: np.random.Generator) -> Pixels:
    # Lanczos with anti-aliasing, which is in no manipulation and in no packaged pipeline.
    height, width = (round(side * scale) for side in pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def _add_noise(pixels: Pixels, deviation: float, rng: np.random.Generator) -> Pixels:
    noisy = pixels + deviation * rng.standard_normal(pixels.shape, np.float32)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _blur(pixels: Pixels, sigma: float, rng: np.random.Generator) -> Pixels:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def _crop(pixels: Pixels, side: float, rng: np.random.Generator) -> Pixels:
    """The center of `side` pixels, in the phase of the JPEG grid that the center of a patch has."""
    size = min(int(side), *pixels.shape[:2])
    top, left = (center_offset(length, size) for length in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + size, left : left + size])


def _shift(pixels: Pixels, count: float, rng: np.random.Generator) -> Pixels:
    """Cut off 16 rows and columns, `count` of them at the top and the left, so that the center has another phase."""
    first, last = int(count), 2 * JPEG_BLOCK - int(count)
    return np.ascontiguousarray(pixels[first:-last, first:-last])


ALTERATIONS = {
    "jpeg": Alteration("JPEG quality", (95, 90, 80, 70, 60, 50), _compress),
    "scale": Alteration("scale of the sides", (2.0, 1.5, 1.2, 0.9, 0.8, 0.7, 0.6, 0.5), _scale),
    "noise": Alteration("noise: standard deviation, gray levels", (0.5, 1, 2, 4, 8), _add_noise),
    "blur": Alteration("Gaussian blur: standard deviation, pixels", (0.4, 0.7, 1.0, 1.5, 2.0), _blur),
    "crop": Alteration("crop: side that is left, pixels", (384, 256, 128, 64), _crop),
    "shift": Alteration("crop: shift of the JPEG grid, pixels", (1, 2, 3, 4), _shift),
}
