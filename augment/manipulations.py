"""The eight manipulations that the competition applied to half of the test patches, computed as its MATLAB code did.

The competition applied gamma correction and resizing to the whole photo, then cropped the center, then compressed the
crop with JPEG. Here only the pixels of the patch are computed, and they equal those of the whole photo bit for bit.
"""

import cv2
import numpy as np
import simplejpeg

from augment.crops import center_offset, random_corner
from augment.matlab_resize import RESIZE_BORDER, Scale, resized_crop
from competition.manipulation import MANIPULATIONS, UNALTERED
from competition.utils.errors import InputError, unknown_name

QUALITIES = {"jpeg70": 70, "jpeg90": 90}
SCALES = {
    "resize0.5": Scale(1, 2),
    "resize0.8": Scale(4, 5),
    "resize1.5": Scale(3, 2),
    "resize2.0": Scale(2, 1),
}
# Rounded, not truncated: truncation would change 141 (gamma 0.8) and 125 (gamma 1.2) of the 256 entries.
GAMMAS = {f"gamma{gamma}": np.round(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8) for gamma in (0.8, 1.2)}

NAMES = (UNALTERED, *MANIPULATIONS)


def manipulate(image: np.ndarray, name: str) -> np.ndarray:
    """Apply a manipulation to a whole image.

    Args:
        image: uint8 (height, width, 3) RGB.
        name: one of `NAMES`; `unaltered` returns the image itself.

    Returns:
        uint8 RGB of the same size, except that `resize…` makes each side `ceil(scale * side)`.

    Raises:
        InputError: the name is unknown, or the array is not a uint8 RGB image.
    """
    _check(image, name)
    if name in SCALES:
        height, width = (SCALES[name].resized(side) for side in image.shape[:2])
        return resized_crop(image, SCALES[name], 0, 0, height, width)
    if name in GAMMAS:
        return cv2.LUT(image, GAMMAS[name])
    if name in QUALITIES:
        return jpeg(image, QUALITIES[name])
    return image


def source_size(size: int, name: str) -> int:
    """Return the shortest side of a photo, in pixels, from which a patch of `size` pixels can be cut under `name`."""
    if name in SCALES:
        scale = SCALES[name]
        return -(-(size + 2 * RESIZE_BORDER) * scale.inputs // scale.outputs)
    return size


def fits(height: int, width: int, name: str, size: int) -> bool:
    """Return whether a photo of (height, width) is large enough for a patch of `size` pixels under `name`."""
    return min(height, width) >= source_size(size, name)


def cut_patch(photo: np.ndarray, name: str, size: int, corner: tuple[int, int]) -> np.ndarray:
    """Cut a patch from a manipulated photo; JPEG compression is applied to the patch.

    Args:
        photo: uint8 (height, width, 3) RGB, before the manipulation.
        name: one of `NAMES`.
        size: side of the patch, pixels.
        corner: top and left of the patch, in pixels of the manipulated photo.

    Returns:
        uint8 (size, size, 3) RGB.

    Raises:
        InputError: the patch does not lie inside the manipulated photo, or `manipulate` would raise it.
    """
    _check(photo, name)
    scale = SCALES.get(name, Scale(1, 1))
    (top, left), (height, width) = corner, (scale.resized(side) for side in photo.shape[:2])
    if not (0 <= top <= height - size and 0 <= left <= width - size):
        raise InputError(
            f"a patch of {size} px at {corner} does not lie inside a photo of {height} x {width} px ({name});"
            f" expected a corner from (0, 0) to ({height - size}, {width - size})"
        )
    if name in SCALES:
        return resized_crop(photo, scale, top, left, size, size)
    return manipulate(np.ascontiguousarray(photo[top : top + size, left : left + size]), name)


def cut_test_patch(photo: np.ndarray, name: str, size: int) -> np.ndarray:
    """Cut the center of a manipulated photo, as the competition did: uint8 (size, size, 3) RGB.

    The first pixel is at `floor((side - size) / 2)` of the manipulated photo. Photos are never padded.

    Raises:
        InputError: the photo is too small, or `manipulate` would raise it.
    """
    _check_fits(photo, name, size)
    scale = SCALES.get(name, Scale(1, 1))
    top, left = (center_offset(scale.resized(side), size) for side in photo.shape[:2])
    return cut_patch(photo, name, size, (top, left))


def cut_training_patch(photo: np.ndarray, name: str, size: int, rng: np.random.Generator) -> np.ndarray:
    """Cut a patch at a random position that has the phase of `cut_test_patch`: uint8 (size, size, 3) RGB.

    The phase is that modulo 8 pixels of the photo, or modulo `Scale.phase_step` pixels of the resized photo.

    Raises:
        InputError: the photo is too small, or `manipulate` would raise it.
    """
    _check_fits(photo, name, size)
    height, width = photo.shape[:2]
    if name not in SCALES:
        return cut_patch(photo, name, size, random_corner(height, width, size, rng))
    scale = SCALES[name]
    corner = random_corner(scale.resized(height), scale.resized(width), size, rng, scale.phase_step, RESIZE_BORDER)
    return cut_patch(photo, name, size, corner)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """Compress and decompress uint8 (height, width, 3) RGB: standard tables, 4:2:0, accurate integer DCT."""
    # OpenCV encodes, because simplejpeg's coefficients differ from those of the standard library.
    sampling = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420)
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality, *sampling))
    return np.asarray(simplejpeg.decode_jpeg(data, "RGB"))


def _check(image: np.ndarray, name: str) -> None:
    if name not in NAMES:
        raise unknown_name("manipulation", name, NAMES)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise InputError(
            f"expected a uint8 RGB array of shape (height, width, 3), received {image.dtype} {image.shape};"
            " convert the image first"
        )


def _check_fits(photo: np.ndarray, name: str, size: int) -> None:
    _check(photo, name)
    height, width = photo.shape[:2]
    if not fits(height, width, name, size):
        raise InputError(
            f"a photo of {width} x {height} px is too small for a patch of {size} px under {name}: expected at least"
            f" {source_size(size, name)} px on both sides; use a smaller patch size or remove the photo"
        )
