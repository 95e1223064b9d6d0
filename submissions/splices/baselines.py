"""Baselines: random and high-pass-energy heat maps. Both use no network."""

import zlib

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.signal import convolve2d

from submissions.splices.consistency import Grid
from submissions.splices.detector import Detection, rescale

ENERGY_OFFSET = 1e-3  # squared gray levels; keeps the logarithm finite where the residual is zero


def random_map(name: str, grid: Grid) -> Detection:
    """Return cells and a score drawn uniformly from [0, 1]. They depend on the name of the image alone."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return Detection(grid, rng.random(grid.cells, np.float32), float(rng.random()))


def energy_map(pixels: NDArray[np.uint8], grid: Grid) -> Detection:
    """Return the local high-pass energy of a photo, uint8 (height, width, 3): a splice may be smoother or rougher.

    The energy of a patch is the logarithm of the mean squared residual, gray minus its 3 × 3 mean. A cell has the mean
    of the patches that cover it, rescaled to [0, 1]. The score is the variance over patches.
    """
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    sums = cv2.integral((gray - cv2.blur(gray, (3, 3))) ** 2, sdepth=cv2.CV_64F)
    tops, lefts, side = grid.tops[:, None], grid.lefts[None], grid.patch
    bottoms, rights = tops + side, lefts + side
    squares = np.maximum(sums[bottoms, rights] - sums[tops, rights] - sums[bottoms, lefts] + sums[tops, lefts], 0)
    energy = np.log(squares / side**2 + ENERGY_OFFSET)
    kernel = np.ones((grid.patch_cells, grid.patch_cells))
    heat = convolve2d(energy, kernel) / convolve2d(np.ones_like(energy), kernel)
    return Detection(grid, rescale(heat), float(energy.var()))
