"""The eight dihedral transforms of a square: four rotations, each with and without a reflection.

They only move pixels and are therefore exact. Training augmentation applies a random one; test-time augmentation
predicts all of them, and view `i` of an image is transform `i`.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from competition.utils.errors import unknown_name

N_TRANSFORMS = 8
ROTATIONS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


def dihedral_transform(image: np.ndarray, element: int) -> np.ndarray:
    """Apply a dihedral transform to an image or to every image of a batch.

    Args:
        image: (…, height, width, channels) of any dtype.
        element: 0 is the identity; 1 to 3 rotate by 90, 180 and 270 degrees counterclockwise; 4 to 7 mirror left and
            right, then rotate like 0 to 3.

    Returns:
        The transformed image, as a view of the same memory where NumPy can; height and width are swapped for odd
        elements.

    Raises:
        InputError: the element is not in 0 to 7.
    """
    _check_element(element)
    if element >= 4:
        image = np.flip(image, axis=-2)
    return np.rot90(image, element % 4, axes=(-3, -2))


def dihedral_copy(image: np.ndarray, element: int) -> np.ndarray:
    """Return `dihedral_transform` of one image as contiguous memory of its own.

    OpenCV moves the pixels of an image about ten times as fast as NumPy copies a rotated view of it.

    Args:
        image: uint8 (height, width, 3).
        element: as in `dihedral_transform`.

    Raises:
        InputError: the element is not in 0 to 7.
    """
    _check_element(element)
    image = cv2.flip(image, 1) if element >= 4 else image
    return cv2.rotate(image, ROTATIONS[element % 4]) if element % 4 else image.copy()


def dihedral_views(patches: Sequence[np.ndarray] | np.ndarray, views: int) -> np.ndarray:
    """Return the first dihedral views of square patches, view by view: (views * patches, side, side, 3).

    `patches` are uint8 (side, side, 3). Raises `InputError` if there are not so many views.
    """
    return np.stack([dihedral_copy(patch, view) for view in range(views) for patch in patches])


def dihedral_inverse(image: np.ndarray, element: int) -> np.ndarray:
    """Undo `dihedral_transform` with the same element, for example on a map that was predicted for that view."""
    _check_element(element)
    image = np.rot90(image, -(element % 4), axes=(-3, -2))
    return np.flip(image, axis=-2) if element >= 4 else image


def _check_element(element: int) -> None:
    if element not in range(N_TRANSFORMS):
        raise unknown_name("dihedral transform", element, range(N_TRANSFORMS))
