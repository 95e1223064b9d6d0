"""What the competition's organisers did to half of the test patches, computed the way their MATLAB did it.

Gamma and resizing were applied to the whole photograph, then the center was cut out, then JPEG compressed the
patch. Here only the pixels that a patch needs are computed, and they equal those of the whole photograph bit
for bit.
"""

import cv2
import numpy as np
import simplejpeg

from augment.crops import center_offset, random_corner
from augment.matlab_resize import RESIZE_BORDER, Scale, resized_window
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

UNALTERED = "unaltered"
MANIPULATED = (*QUALITIES, *SCALES, *GAMMAS)
NAMES = (UNALTERED, *MANIPULATED)


def manipulate(image: np.ndarray, name: str) -> np.ndarray:
    """Apply the manipulation `name` to a whole image.

    `image` is uint8 (height, width, 3) RGB; so is the result, of the same size except after `resize…`, where
    each side becomes `ceil(scale * side)`. `unaltered` returns the image itself. Raises `InputError` for an
    unknown name or another kind of array.
    """
    _check(image, name)
    if name in SCALES:
        height, width = (SCALES[name].resized(side) for side in image.shape[:2])
        return resized_window(image, SCALES[name], 0, 0, height, width)
    if name in GAMMAS:
        return cv2.LUT(image, GAMMAS[name])
    if name in QUALITIES:
        return jpeg(image, QUALITIES[name])
    return image


def source_size(size: int, name: str) -> int:
    """The shortest side in source pixels from which a patch of `size` pixels can be cut under `name`."""
    if name in SCALES:
        scale = SCALES[name]
        return -(-(size + 2 * RESIZE_BORDER) * scale.inputs // scale.outputs)
    return size


def fits(height: int, width: int, name: str, size: int) -> bool:
    """Whether a photograph of (height, width) is large enough for a patch of `size` pixels under `name`."""
    return min(height, width) >= source_size(size, name)


def cut_patch(photo: np.ndarray, name: str, size: int, corner: tuple[int, int]) -> np.ndarray:
    """The patch whose top left is at `corner` of the manipulated photograph; JPEG is applied last.

    `photo` is uint8 (height, width, 3) RGB; `corner` is (top, left) in pixels of the manipulated photograph.
    Returns uint8 (size, size, 3). Raises `InputError` where the patch does not lie inside.
    """
    _check(photo, name)
    scale = SCALES.get(name, Scale(1, 1))
    (top, left), (height, width) = corner, (scale.resized(side) for side in photo.shape[:2])
    if not (0 <= top <= height - size and 0 <= left <= width - size):
        raise InputError(f"a patch of {size} px at {corner} does not lie inside {height} x {width} px ({name})")
    if name in SCALES:
        return resized_window(photo, scale, top, left, size, size)
    return manipulate(np.ascontiguousarray(photo[top : top + size, left : left + size]), name)


def cut_test_patch(photo: np.ndarray, name: str, size: int) -> np.ndarray:
    """The patch that the competition's organisers would have cut: uint8 (size, size, 3) from the center.

    The center is that of the manipulated photograph, at `floor((side - size) / 2)`. Raises `InputError` where
    the photograph is too small; nothing is ever padded.
    """
    _check_fits(photo, name, size)
    scale = SCALES.get(name, Scale(1, 1))
    top, left = (center_offset(scale.resized(side), size) for side in photo.shape[:2])
    return cut_patch(photo, name, size, (top, left))


def training_patch(photo: np.ndarray, name: str, size: int, rng: np.random.Generator) -> np.ndarray:
    """A patch from a random place that has the phase of `cut_test_patch`: uint8 (size, size, 3).

    The phase is kept modulo 8 source pixels, after resizing modulo `Scale.phase_step`. Raises `InputError`
    where the photograph is too small.
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
    # Encoded by OpenCV: simplejpeg's coefficients differ from the standard library's.
    sampling = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420)
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality, *sampling))
    return np.asarray(simplejpeg.decode_jpeg(data, "RGB"))


def _check(image: np.ndarray, name: str) -> None:
    if name not in NAMES:
        raise unknown_name("manipulation", name, NAMES)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise InputError(f"expected a uint8 array (height, width, 3) in RGB, got {image.dtype} {image.shape}")


def _check_fits(photo: np.ndarray, name: str, size: int) -> None:
    _check(photo, name)
    height, width = photo.shape[:2]
    if not fits(height, width, name, size):
        raise InputError(
            f"a photograph of {width} x {height} px is too small for a patch of {size} px under {name}:"
            f" both sides need {source_size(size, name)} px; use a smaller patch size or leave it out"
        )
