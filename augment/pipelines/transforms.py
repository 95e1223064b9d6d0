"""Transforms that albumentations lacks. Importing this module loads albumentations."""

import os
from typing import Any

# Without this, albumentations asks the package registry for a newer release at every import.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A
import numpy as np

from augment.manipulations import jpeg
from competition.utils.errors import InputError


class Jpeg(A.ImageOnlyTransform):
    """Compress a uint8 RGB image with JPEG as a photo is: standard tables, 4:2:0, accurate DCT.

    `albumentations.ImageCompression` (2.0.8) passes RGB to an encoder that expects BGR. Red and blue are swapped in the
    luminance and in the chrominance that it quantizes: a trace that no photo has.

    Args:
        quality_range: lowest and highest quality, 1 to 100; all qualities in between are equally likely.
        p: probability that the image is compressed.

    Raises:
        InputError: the qualities are not two rising integers in 1 to 100.
    """

    class InitSchema(A.BasicTransform.InitSchema):
        quality_range: tuple[int, int]

    def __init__(self, quality_range: tuple[int, int] = (50, 95), p: float = 0.5) -> None:
        super().__init__(p=p)
        low, high = quality_range
        if not 1 <= low <= high <= 100:
            raise InputError(f"expected two rising qualities from 1 to 100, received quality_range={quality_range}")
        self.quality_range = (low, high)

    def get_params(self) -> dict[str, Any]:
        return {"quality": self.py_random.randint(*self.quality_range)}

    def apply(self, img: np.ndarray, quality: int, **params: Any) -> np.ndarray:
        return jpeg(img, quality)
