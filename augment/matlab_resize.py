"""MATLAB's `imresize(photo, scale, 'bicubic')`, for any crop of the result at the cost of that crop."""

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from augment.crops import JPEG_BLOCK


@dataclass(frozen=True)
class Scale:
    """Resizing by `outputs / inputs`: every `outputs` resized pixels cover `inputs` source pixels."""

    outputs: int
    inputs: int

    def resized(self, side: int) -> int:
        """Return the length of a side after resizing, `ceil(scale * side)` as in MATLAB."""
        return -(-side * self.outputs // self.inputs)

    @property
    def phase_step(self) -> int:
        """The smallest shift, in resized pixels, that moves the source by whole JPEG blocks.

        Resized pixels at that distance have the same position in the 8x8 blocks of the source and the same kernel
        weights: 4, 32, 12 and 16 pixels for the scales 0.5, 0.8, 1.5 and 2.0.
        """
        blocks = JPEG_BLOCK * self.outputs
        return blocks // math.gcd(blocks, self.inputs)


# The kernel extends over 2 / scale source pixels (2 when enlarging), so only the three outermost resized pixels depend
# on the mirrored edge of the photo. No patch contains them.
RESIZE_BORDER = 3
# The same extent in source pixels: the largest margin that a crop of the resized photo needs (scale 0.5).
MARGIN = 4

BLOCK = 8  # resized lines per matrix product, so that its operands fit the processor's cache
BLOCKS = 8  # at once, so that threads rarely wait for the interpreter: each call releases its lock and takes it again
# Exact halves round up: far below the distance of a weighted sum to the next tie, far above the error of float32.
TIE = 2**-13


def resized_crop(photo: np.ndarray, scale: Scale, top: int, left: int, height: int, width: int) -> np.ndarray:
    """Compute a crop of a resized photo; every crop has the same bits as the whole.

    As in MATLAB (2017): Keys' kernel with a = -0.5, stretched by 1 / scale when shrinking; normalized weights; aligned
    pixel centers; mirrored edges; the vertical pass first; rounded and clipped to uint8 after each pass.

    Args:
        photo: uint8 (height, width, 3), before resizing.
        scale: the scale of both sides.
        top: first row of the crop, in resized pixels.
        left: first column of the crop, in resized pixels.
        height: rows of the crop.
        width: columns of the crop.

    Returns:
        uint8 (height, width, 3).
    """
    periods = max(1, BLOCK // scale.outputs)
    block = Scale(scale.outputs * periods, scale.inputs * periods)
    first_row, rows = _blocks(top, height, block)
    first_column, columns = _blocks(left, width, block)
    pixels = _mirrored_crop(
        photo,
        first_row * block.inputs - MARGIN,
        first_column * block.inputs - MARGIN,
        rows * block.inputs + 2 * MARGIN,
        columns * block.inputs + 2 * MARGIN,
    )
    for _ in range(2):  # vertically, then horizontally
        pixels = cv2.transpose(_resize_columns(pixels, block))
    y, x = top - first_row * block.outputs, left - first_column * block.outputs
    return np.ascontiguousarray(pixels[y : y + height, x : x + width])


def _resize_columns(pixels: np.ndarray, block: Scale) -> np.ndarray:
    """Resize the first axis: the product of a block's weights and the source lines that it needs, `BLOCKS` at once."""
    weights = _weights(block)
    outputs, inputs = weights.shape
    count, step = (len(pixels) - 2 * MARGIN) // block.inputs, block.inputs
    line = pixels.shape[1] * pixels.shape[2]
    resized = np.empty((count * outputs, line), np.uint8)
    source = np.empty(((BLOCKS - 1) * step + inputs, line), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(source, inputs, axis=0)[::step].swapaxes(1, 2)
    sums = np.empty((BLOCKS, outputs, line), np.float32)
    for first in range(0, count, BLOCKS):
        blocks = min(BLOCKS, count - first)
        lines = pixels[first * step : (first + blocks - 1) * step + inputs]
        np.copyto(source[: len(lines)].reshape(lines.shape), lines)
        np.matmul(weights, windows[:blocks], out=sums[:blocks])
        # OpenCV rounds and clips in one pass.
        part = resized[first * outputs : (first + blocks) * outputs]
        cv2.add(sums[:blocks].reshape(-1, line), TIE, dst=part, dtype=cv2.CV_8U)  # type: ignore[call-overload]
    return resized.reshape(-1, *pixels.shape[1:])


@cache
def _weights(block: Scale) -> np.ndarray:
    """Return the weight of each source line of a block and its margins in each resized line: (outputs, inputs + 8)."""
    scale = block.outputs / block.inputs
    centers = (np.arange(block.outputs) + 0.5) / scale - 0.5
    x = np.abs(np.arange(-MARGIN, block.inputs + MARGIN) - centers[:, None]) * min(scale, 1)
    near, far = ((1.5 * x - 2.5) * x) * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = np.where(x <= 1, near, np.where(x <= 2, far, 0))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _blocks(start: int, length: int, block: Scale) -> tuple[int, int]:
    """Return the block that contains resized line `start`, and the number of blocks that cover `length` lines."""
    first = start // block.outputs
    return first, -(-(start + length) // block.outputs) - first


def _mirrored_crop(photo: np.ndarray, top: int, left: int, height: int, width: int) -> np.ndarray:
    """Return a crop that may extend beyond the photo, which is mirrored there with the edge pixel repeated."""
    (bottom, right), (full_height, full_width) = (top + height, left + width), photo.shape[:2]
    inside = photo[max(top, 0) : min(bottom, full_height), max(left, 0) : min(right, full_width)]
    beyond = (max(-top, 0), max(bottom - full_height, 0), max(-left, 0), max(right - full_width, 0))
    return cv2.copyMakeBorder(inside, *beyond, borderType=cv2.BORDER_REFLECT) if any(beyond) else inside
