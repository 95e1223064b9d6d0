"""Positions of crops: the center, or random positions with the phase of the center.

The competition cut its test patches from the center, at `floor((side - 512) / 2)`. Pixels depend on their position
modulo 8 (JPEG blocks) and modulo 2 (color filter array). A training crop with another phase would show the network
traces that never occur in the test set.
"""

import numpy as np

from competition.utils.errors import InputError

JPEG_BLOCK = 8


def center_offset(side: int, size: int) -> int:
    """Return the first pixel of the center crop of `size` pixels along a side, as the competition cut it.

    Raises:
        InputError: the side is shorter than the crop.
    """
    if side < size:
        raise InputError(
            f"expected a side of at least {size} px for a patch of {size} px, received {side} px;"
            " use a smaller patch size"
        )
    return (side - size) // 2


def phase_positions(side: int, size: int, step: int = JPEG_BLOCK, border: int = 0) -> range:
    """Return the first pixels of all crops along a side that have the phase of the center crop, in ascending order.

    Args:
        side: length of the side, pixels.
        size: length of the crop, pixels.
        step: positions are equal to that of the center crop modulo `step`.
        border: smallest distance of a crop from both ends of the side, pixels.

    Raises:
        InputError: the center crop does not fit between the borders.
    """
    center = center_offset(side, size)
    if center < border:
        raise InputError(
            f"expected a side of at least {size + 2 * border} px for a patch of {size} px with a border of {border} px,"
            f" received {side} px; use a smaller patch size"
        )
    return range(border + (center - border) % step, side - size - border + 1, step)


def random_corner(
    height: int, width: int, size: int, rng: np.random.Generator, step: int = JPEG_BLOCK, border: int = 0
) -> tuple[int, int]:
    """Draw the top and the left of a square crop, both from `phase_positions`, in an image of (height, width)."""
    rows = phase_positions(height, size, step, border)
    columns = phase_positions(width, size, step, border)
    return rows[int(rng.integers(len(rows)))], columns[int(rng.integers(len(columns)))]
