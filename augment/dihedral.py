"""The eight turns of a square: four rotations, and the same after a mirroring. Exact: pixels only change
places."""

import numpy as np

from competition.utils.errors import unknown_name

VIEWS = 8


def dihedral(image: np.ndarray, view: int) -> np.ndarray:
    """Turn (…, height, width, channels) to one of the `VIEWS`; view 0 is the image itself.

    Views 0 to 3 are counter-clockwise quarter turns, 4 to 7 the same of the mirrored image. A view of the
    memory is returned where NumPy can. Raises `InputError` for another view.
    """
    _check(view)
    if view >= 4:
        image = np.flip(image, axis=-2)
    return np.rot90(image, view % 4, axes=(-3, -2))


def dihedral_inverse(image: np.ndarray, view: int) -> np.ndarray:
    """Undo `turn`: `dihedral_inverse(turn(image, view), view)` is the image."""
    _check(view)
    image = np.rot90(image, -(view % 4), axes=(-3, -2))
    return np.flip(image, axis=-2) if view >= 4 else image


def _check(view: int) -> None:
    if view not in range(VIEWS):
        raise unknown_name("view", view, range(VIEWS))
