"""Choose the patches of a photo that carry the most evidence of its camera.

Flat areas and saturated areas carry little: denoising and compression leave nothing in them (compare the learned
reliability of patches in Güera et al. 2018, arXiv 1805.01946). Patches keep the phase of the center crop, because
pixels depend on their position in the JPEG grid and in the color filter array.
"""

from dataclasses import dataclass

import numpy as np

from augment.crops import JPEG_BLOCK, center_offset

FLAT = 1.0  # gray levels: standard deviation of a block without detail
DARK, BRIGHT = 2, 253  # gray levels: pixels beyond are saturated
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class PhotoPatch:
    """The position of a patch, pixels, and the share of its blocks that carry evidence."""

    top: int
    left: int
    evidence: float


def choose_patches(pixels: np.ndarray, size: int, count: int) -> list[PhotoPatch]:
    """Choose patches that do not overlap, the ones with the most evidence first.

    The candidates are the center crop and all crops at multiples of `size` pixels from it. Of equal candidates, those
    near the center come first, so a photo without differences is predicted from its center.

    Args:
        pixels: the photo, uint8 (height, width, 3) RGB.
        size: side of a patch, pixels, a multiple of 8.
        count: maximum number of patches; a small photo has fewer.

    Raises:
        InputError: the photo is smaller than a patch.
    """
    height, width = pixels.shape[:2]
    rows, columns = (_positions(side, size) for side in (height, width))
    evidence = informative_blocks(pixels[rows[0] % JPEG_BLOCK :, columns[0] % JPEG_BLOCK :])
    blocks = size // JPEG_BLOCK
    candidates = []
    for top in rows:
        for left in columns:
            row, column = top // JPEG_BLOCK, left // JPEG_BLOCK
            share = float(evidence[row : row + blocks, column : column + blocks].mean())
            distance = max(abs(top - center_offset(height, size)), abs(left - center_offset(width, size)))
            candidates.append((-round(share, 2), distance, top, left, share))
    return [PhotoPatch(top, left, share) for _, _, top, left, share in sorted(candidates)[:count]]


def informative_blocks(pixels: np.ndarray) -> np.ndarray:
    """Return which 8×8 blocks are neither flat nor mostly saturated: boolean (height // 8, width // 8)."""
    rows, columns = (side // JPEG_BLOCK for side in pixels.shape[:2])
    whole = pixels[: rows * JPEG_BLOCK, : columns * JPEG_BLOCK]
    blocks = (whole @ LUMINANCE).reshape(rows, JPEG_BLOCK, columns, JPEG_BLOCK)
    saturated = ((blocks <= DARK) | (blocks >= BRIGHT)).mean(axis=(1, 3))
    return (blocks.std(axis=(1, 3)) >= FLAT) & (saturated < 0.5)


def _positions(side: int, size: int) -> list[int]:
    """First pixels of the crops at multiples of `size` pixels from the center crop, in ascending order."""
    center = center_offset(side, size)
    return list(range(center % size, side - size + 1, size))
