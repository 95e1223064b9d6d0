"""What the competition's organisers did to half of the test patches, computed the way their MATLAB did it.

Gamma and resizing were applied to the whole photograph, then the centre was cut out, then JPEG compressed the
patch. Here only the pixels that a patch needs are computed, and they equal those of the whole photograph bit
for bit.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from augment.crops import JPEG_BLOCK, centre_offset, random_corner
from competition.errors import InputError, unknown_name


@dataclass(frozen=True)
class Scale:
    """A resizing by `outputs / inputs`: every `outputs` resized pixels lie on `inputs` source pixels."""

    outputs: int
    inputs: int

    def resized(self, side: int) -> int:
        """Length of a side of `side` pixels after resizing: `ceil(scale * side)`, as MATLAB has it."""
        return -(-side * self.outputs // self.inputs)

    @property
    def phase_step(self) -> int:
        """The smallest shift, in resized pixels, that moves the source by whole JPEG blocks.

        Resized pixels that far apart have both the same place on the source's 8x8 grid and the same kernel
        weights: 4, 32, 12 and 16 pixels for 0.5, 0.8, 1.5 and 2.0.
        """
        blocks = JPEG_BLOCK * self.outputs
        return blocks // math.gcd(blocks, self.inputs)


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

# The kernel reaches 2 / scale source pixels (2 when enlarging), so at most the three outermost resized pixels
# see the mirrored edge of the photograph. No patch holds them.
RESIZE_BORDER = 3
# The same reach in source pixels: what a resized window needs around it, at the most (scale 0.5).
MARGIN = 4


def manipulate(image: np.ndarray, name: str) -> np.ndarray:
    """Apply the manipulation `name` to a whole image.

    `image` is uint8 (height, width, 3) RGB; so is the result, of the same size except after `resize…`, where
    each side becomes `ceil(scale * side)`. `unaltered` returns the image itself. Raises `InputError` for an
    unknown name or another kind of array.
    """
    _check(image, name)
    if name in SCALES:
        height, width = (SCALES[name].resized(side) for side in image.shape[:2])
        return _resized_window(image, SCALES[name], 0, 0, height, width)
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
        return _resized_window(photo, scale, top, left, size, size)
    return manipulate(np.ascontiguousarray(photo[top : top + size, left : left + size]), name)


def cut_test_patch(photo: np.ndarray, name: str, size: int) -> np.ndarray:
    """The patch that the competition's organisers would have cut: uint8 (size, size, 3) from the centre.

    The centre is that of the manipulated photograph, at `floor((side - size) / 2)`. Raises `InputError` where
    the photograph is too small; nothing is ever padded.
    """
    _check_fits(photo, name, size)
    scale = SCALES.get(name, Scale(1, 1))
    top, left = (centre_offset(scale.resized(side), size) for side in photo.shape[:2])
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
    sampling = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420)
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality, *sampling))
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB))


def _resized_window(photo: np.ndarray, scale: Scale, top: int, left: int, height: int, width: int) -> np.ndarray:
    """A window of MATLAB's `imresize(photo, scale, 'bicubic')`: uint8 (height, width, 3).

    MATLAB (2017): Keys' kernel with a = -0.5, stretched by 1/scale when shrinking, weights normalised, pixel
    centres aligned, edges mirrored, the vertical pass first, rounded and clipped to uint8 after each pass.
    Pillow's BICUBIC is that kernel with that rounding, but it starts horizontally and renormalises at the
    edges; hence one call for each pass and a mirrored margin. Windows begin and end at whole periods of the
    scale, where the boxes given to Pillow (float32) are whole numbers: so every window of a photograph has
    the same sample positions, bit for bit.
    """
    first_row, rows = _periods(top, height, scale)
    first_column, columns = _periods(left, width, scale)
    source = _mirrored_window(
        photo,
        first_row * scale.inputs - MARGIN,
        first_column * scale.inputs - MARGIN,
        rows * scale.inputs + 2 * MARGIN,
        columns * scale.inputs + 2 * MARGIN,
    )
    image = Image.fromarray(source)
    for box, shape in (
        ((0, MARGIN, image.width, image.height - MARGIN), (image.width, rows * scale.outputs)),
        (
            (MARGIN, 0, image.width - MARGIN, rows * scale.outputs),
            (columns * scale.outputs, rows * scale.outputs),
        ),
    ):
        image = image.resize(shape, Image.Resampling.BICUBIC, box=box)
    y, x = top - first_row * scale.outputs, left - first_column * scale.outputs
    return np.ascontiguousarray(np.asarray(image)[y : y + height, x : x + width])


def _periods(start: int, length: int, scale: Scale) -> tuple[int, int]:
    """The period that holds resized pixel `start`, and how many periods cover `length` pixels from there."""
    first = start // scale.outputs
    return first, -(-(start + length) // scale.outputs) - first


def _mirrored_window(photo: np.ndarray, top: int, left: int, height: int, width: int) -> np.ndarray:
    """A window that may reach beyond the photograph, which is mirrored there (the edge pixel repeats)."""
    (bottom, right), (full_height, full_width) = (top + height, left + width), photo.shape[:2]
    inside = photo[max(top, 0) : min(bottom, full_height), max(left, 0) : min(right, full_width)]
    beyond = (max(-top, 0), max(bottom - full_height, 0), max(-left, 0), max(right - full_width, 0))
    return cv2.copyMakeBorder(inside, *beyond, borderType=cv2.BORDER_REFLECT) if any(beyond) else inside


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
