"""Apply a pipeline of albumentations transforms to a patch, reproducibly and from several threads.

A pipeline sees a source that is larger than the patch, so that the patch keeps its size where the pipeline scales down
or crops. The source begins at a position with the phase of the photo's center, and the patch at a multiple of 8 pixels
of what the pipeline returns. So the patch keeps the phase of the photo if the pipeline leaves the pixels in their
place, and is aligned to the grid of a JPEG compression at the end of the pipeline. A pipeline that scales or crops
destroys the grid of the photo, as a social network does.
"""

import json
import random
import threading
from functools import lru_cache
from typing import Any

import numpy as np

from augment.crops import JPEG_BLOCK, phase_positions
from competition.utils.errors import InputError

REDUCTION = 2  # a pipeline may halve the sides of its source
THREADS = 64  # that keep a pipeline of their own


def source_side(size: int) -> int:
    """Return the side of the source of a patch of `size` pixels, pixels."""
    return REDUCTION * size


def photo_side(size: int) -> int:
    """Return the shortest side of a photo that has a source in every phase of the JPEG grid, pixels."""
    return source_side(size) + JPEG_BLOCK


def augment_patch(photo: np.ndarray, text: str, size: int, rng: np.random.Generator) -> np.ndarray | None:
    """Cut a source from a photo, apply a pipeline, and cut a patch from the result.

    Args:
        photo: uint8 (height, width, 3) RGB, as the camera wrote it.
        text: a pipeline, see `augment.pipelines.read.read_pipeline`.
        size: side of the patch, pixels.
        rng: source of all random choices.

    Returns:
        uint8 (size, size, 3) RGB, or None if the pipeline changed nothing, which is what its `p` decides.

    Raises:
        InputError: the photo is smaller than `photo_side`, or the result is smaller than the patch.
    """
    side = source_side(size)
    if min(photo.shape[:2]) < photo_side(size):
        height, width = photo.shape[:2]
        raise InputError(
            f"a photo of {width} x {height} px is too small for --augment and patches of {size} px: expected at least"
            f" {photo_side(size)} px on both sides; use a smaller patch size or remove the photo"
        )
    top, left = (_first_pixel(length, size, rng) for length in photo.shape[:2])
    source = np.ascontiguousarray(photo[top : top + side, left : left + side])
    result = run_pipeline(text, source, rng)
    if result.shape == source.shape and (result == source).all():
        return None
    height, width = smallest_result(result, size)
    top, left = (JPEG_BLOCK * int(rng.integers((length - size) // JPEG_BLOCK + 1)) for length in (height, width))
    return np.ascontiguousarray(result[top : top + size, left : left + size])


def _first_pixel(length: int, size: int, rng: np.random.Generator) -> int:
    """First pixel of a random source along a side of a photo, in the phase of a patch of `size` pixels."""
    phases = phase_positions(length, size)
    positions = range(phases.start, length - source_side(size) + 1, phases.step)
    return positions[int(rng.integers(len(positions)))]


def run_pipeline(text: str, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Apply a pipeline to an image, uint8 (height, width, 3) RGB. The result is a function of the image and `rng`."""
    pipeline = _pipeline_of_thread(text, threading.get_ident())
    # `set_random_seed` would give every transform the same random numbers.
    pipeline.set_random_state(rng, random.Random(int(rng.integers(2**63))))
    return pipeline(image=image)["image"]


def smallest_result(result: np.ndarray, size: int) -> tuple[int, int]:
    """Return the height and the width of what a pipeline returned, if a patch of `size` pixels can be cut from it.

    Raises:
        InputError: the result is not uint8 RGB, or too small.
    """
    if not isinstance(result, np.ndarray) or result.dtype != np.uint8 or result.ndim != 3 or result.shape[2] != 3:
        what = f"{result.dtype} {result.shape}" if isinstance(result, np.ndarray) else type(result).__name__
        raise InputError(f"the pipeline of --augment returns {what}; expected uint8 RGB: remove what converts it")
    height, width = result.shape[:2]
    if min(height, width) < size:
        raise InputError(
            f"the pipeline of --augment made {width}x{height} pixels of {source_side(size)}x{source_side(size)}; "
            f"expected at least {size} for a patch: scale down and crop to no less than half"
        )
    return height, width


def build_pipeline(text: str) -> Any:
    """Build a pipeline, an `albumentations.Compose`, from its JSON text."""
    from augment.pipelines.transforms import A

    pipeline = A.from_dict(json.loads(text))
    return pipeline if isinstance(pipeline, A.Compose) else A.Compose([pipeline])


@lru_cache(maxsize=THREADS)
def _pipeline_of_thread(text: str, thread: int) -> Any:
    """The pipeline of one thread: a pipeline holds the state of its random numbers, so threads cannot share it."""
    return build_pipeline(text)
