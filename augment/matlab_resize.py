"""MATLAB's `imresize(photo, scale, 'bicubic')`, for any window of the result and at the price of that window."""

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from augment.crops import JPEG_BLOCK


@dataclass(frozen=True)
class Scale:
    """A resizing by `outputs / inputs`: every `outputs` resized pixels lie on `inputs` source pixels."""

    outputs: int
    inputs: int

    def resized(self, side: int) -> int:
        """Length of a side of `side` pixels after resizing: `ceil(scale * side)`, as MATLAB has it."""
        return -(-side * self.outputs // self.inputs)

    @property
    def phase_step(self) -> int:
        """The smallest shift, in resized pixels, that moves the source by whole JPEG blocks.

        Resized pixels that far apart have both the same place on the source's 8x8 grid and the same kernel
        weights: 4, 32, 12 and 16 pixels for 0.5, 0.8, 1.5 and 2.0.
        """
        blocks = JPEG_BLOCK * self.outputs
        return blocks // math.gcd(blocks, self.inputs)


# The kernel reaches 2 / scale source pixels (2 when enlarging), so at most the three outermost resized pixels
# see the mirrored edge of the photograph. No patch holds them.
RESIZE_BORDER = 3
# The same reach in source pixels: what a resized window needs around it, at the most (scale 0.5).
MARGIN = 4

BLOCK = 8  # resized lines computed at once: the work of one product fits a processor's cache
# Far below the distance of a weighted sum to the next tie, far above float32's error: exact halves round up.
TIE = 2**-13


def resized_window(photo: np.ndarray, scale: Scale, top: int, left: int, height: int, width: int) -> np.ndarray:
    """A window of the resized photograph: uint8 (height, width, 3), with its first pixel at `top`, `left`.

    `photo` is uint8 (height, width, 3). MATLAB (2017): Keys' kernel with a = -0.5, stretched by 1/scale when
    shrinking, weights normalized, pixel centers aligned, edges mirrored, the vertical pass first, rounded and
    clipped to uint8 after each pass. Every window of a photograph has the same bits as the whole.
    """
    periods = max(1, BLOCK // scale.outputs)
    block = Scale(scale.outputs * periods, scale.inputs * periods)
    first_row, rows = _blocks(top, height, block)
    first_column, columns = _blocks(left, width, block)
    pixels = _mirrored_window(
        photo,
        first_row * block.inputs - MARGIN,
        first_column * block.inputs - MARGIN,
        rows * block.inputs + 2 * MARGIN,
        columns * block.inputs + 2 * MARGIN,
    )
    for _ in range(2):  # down the columns, then along the rows
        pixels = cv2.transpose(_resized_columns(pixels, block))
    y, x = top - first_row * block.outputs, left - first_column * block.outputs
    return np.ascontiguousarray(pixels[y : y + height, x : x + width])


def _resized_columns(pixels: np.ndarray, block: Scale) -> np.ndarray:
    """One pass over the first axis, block by block: a band of the resizing's matrix times the lines it needs."""
    weights = _weights(block)
    outputs, inputs = weights.shape
    count = (len(pixels) - 2 * MARGIN) // block.inputs
    line = pixels.shape[1] * pixels.shape[2]
    resized = np.empty((count * outputs, line), np.uint8)
    source = np.empty((inputs, line), np.float32)
    sums = np.empty((outputs, line), np.float32)
    for index in range(count):
        lines = pixels[index * block.inputs : index * block.inputs + inputs]
        np.copyto(source.reshape(lines.shape), lines)
        np.matmul(weights, source, out=sums)
        # OpenCV rounds and clips in one go.
        resized[index * outputs : (index + 1) * outputs] = cv2.add(sums, TIE, dtype=cv2.CV_8U)  # type: ignore[call-overload]
    return resized.reshape(-1, *pixels.shape[1:])


@cache
def _weights(block: Scale) -> np.ndarray:
    """What each source line of a block and its margins adds to each resized one: float32 (outputs, inputs + 8)."""
    scale = block.outputs / block.inputs
    centers = (np.arange(block.outputs) + 0.5) / scale - 0.5
    x = np.abs(np.arange(-MARGIN, block.inputs + MARGIN) - centers[:, None]) * min(scale, 1)
    near, far = ((1.5 * x - 2.5) * x) * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = np.where(x <= 1, near, np.where(x <= 2, far, 0))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _blocks(start: int, length: int, block: Scale) -> tuple[int, int]:
    """The block that holds resized line `start`, and how many blocks cover `length` lines from there."""
    first = start // block.outputs
    return first, -(-(start + length) // block.outputs) - first


def _mirrored_window(photo: np.ndarray, top: int, left: int, height: int, width: int) -> np.ndarray:
    """A window that may reach beyond the photograph, which is mirrored there (the edge pixel repeats)."""
    (bottom, right), (full_height, full_width) = (top + height, left + width), photo.shape[:2]
    inside = photo[max(top, 0) : min(bottom, full_height), max(left, 0) : min(right, full_width)]
    beyond = (max(-top, 0), max(bottom - full_height, 0), max(-left, 0), max(right - full_width, 0))
    return cv2.copyMakeBorder(inside, *beyond, borderType=cv2.BORDER_REFLECT) if any(beyond) else inside
