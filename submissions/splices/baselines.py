"""What a map of splices must beat: one that knows nothing, and one that knows how rough the picture is."""

import zlib

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.signal import convolve2d

from submissions.splices.consistency import Grid
from submissions.splices.detector import Detection, stretched

SILENT = 1e-3  # added to an energy, in squared gray levels: a black sky has none, and that has no logarithm


def random_map(name: str, grid: Grid) -> Detection:
    """Cells and a score drawn evenly from 0…1; the same ones for every image of this name."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    cells = len(grid.tops) + grid.spread - 1, len(grid.lefts) + grid.spread - 1
    return Detection(grid, rng.random(cells, np.float32), float(rng.random()))


def energy_map(pixels: NDArray[np.uint8], grid: Grid) -> Detection:
    """How rough each place of a photograph, uint8 (height, width, 3), is: a splice may be smoother or rougher.

    Of each patch the logarithm of the mean squared high-pass residual (gray less its 3 × 3 mean); a cell has the mean
    of the patches that cover it, stretched to 0…1. The score is the variance over patches.
    """
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    sums = cv2.integral((gray - cv2.blur(gray, (3, 3))) ** 2, sdepth=cv2.CV_64F)
    tops, lefts, side = grid.tops[:, None], grid.lefts[None], grid.patch
    below, right = tops + side, lefts + side
    energy = np.maximum(sums[below, right] - sums[tops, right] - sums[below, lefts] + sums[tops, lefts], 0) / side**2
    told = np.log(energy + SILENT)
    cover = np.ones((grid.spread, grid.spread))
    heat = convolve2d(told, cover) / convolve2d(np.ones_like(told), cover)
    return Detection(grid, stretched(heat), float(told.var()))
