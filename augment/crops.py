"""Where patches are cut: at the center, or at random places that share the center's phase.

The test patches of the competition were cut from the center, at `floor((side - 512) / 2)`. A photograph's
pixels remember their place modulo 8 (the grid of its JPEG blocks) and modulo 2 (the color filter array), so
a training crop at any other phase shows the network something that the test set never holds.
"""

import numpy as np

from competition.utils.errors import InputError

JPEG_BLOCK = 8


def center_offset(side: int, size: int) -> int:
    """First pixel of the center crop of `size` pixels along a side, as the competition cut it.

    Raises `InputError` where the side is shorter than the crop.
    """
    if side < size:
        raise InputError(f"a side of {side} px is shorter than a patch of {size} px; use a smaller patch size")
    return (side - size) // 2


def phase_positions(side: int, size: int, step: int = JPEG_BLOCK, border: int = 0) -> range:
    """All first pixels of crops along one side that equal the center crop's modulo `step`, ascending.

    No crop comes nearer than `border` pixels to either end; the center crop itself must not, or `InputError`.
    """
    center = center_offset(side, size)
    if center < border:
        raise InputError(
            f"a side of {side} px holds no patch of {size} px that is {border} px away from the edges;"
            " use a smaller patch size"
        )
    return range(border + (center - border) % step, side - size - border + 1, step)


def random_corner(
    height: int, width: int, size: int, rng: np.random.Generator, step: int = JPEG_BLOCK, border: int = 0
) -> tuple[int, int]:
    """Top and left of a random square crop in an image of (height, width), both `phase_positions`."""
    rows = phase_positions(height, size, step, border)
    columns = phase_positions(width, size, step, border)
    return rows[int(rng.integers(len(rows)))], columns[int(rng.integers(len(columns)))]
