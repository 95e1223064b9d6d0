"""Image signal processor: white balance, demosaicing, colors, tone, noise reduction, sharpening."""

from collections.abc import Callable, Iterator
from functools import cache

import cv2
import numpy as np

from competition.virtual.cameras import WHITE_LEVEL, Camera, Sharpening
from competition.virtual.demosaic import demosaic

# From the colors of a typical sensor to linear sRGB. Rows sum to one, so that gray stays gray.
_COLOR_MATRIX = np.array([[1.60, -0.45, -0.15], [-0.25, 1.50, -0.25], [-0.02, -0.48, 1.50]])
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])

# Pixels around a window that influence it: 24 for the widest filter, of chroma at ISO 3200, and 4 for demosaicing.
ISP_REACH = 32
_DEMOSAIC_REACH = 4  # pixels: even, so that a margin keeps the phase of the color filter
_BAND = 64  # rows: even, too


def sensor_from_rgb() -> np.ndarray:
    """Return the matrix (3, 3) from linear sRGB light to the colors of the sensor."""
    return np.linalg.inv(_COLOR_MATRIX).astype(np.float32)


def develop(raw: np.ndarray, camera: Camera, balance: np.ndarray, iso: int) -> np.ndarray:
    """Develop digital numbers (h, w) to an image, uint8 (h, w, 3) RGB. `balance` (3,) are the white balance gains."""
    luma, red, blue = _luma_and_chroma(raw, camera, balance)
    strength = camera.denoising.strength * (iso / 100) ** 0.35
    luma = _LUMA_FILTERS[camera.denoising.luma](luma, strength)
    red, blue = (_CHROMA_FILTERS[camera.denoising.chroma](plane, strength) for plane in (red, blue))
    luma = sharpen(luma, camera.sharpening)
    developed = np.empty((*raw.shape, 3), np.uint8)
    for rows in _bands(len(raw)):
        image = cv2.cvtColor(cv2.merge([luma[rows], red[rows], blue[rows]]), cv2.COLOR_YCrCb2RGB)
        developed[rows] = _quantize(image, 255, cv2.CV_8U)
    return developed


def _luma_and_chroma(raw: np.ndarray, camera: Camera, balance: np.ndarray) -> np.ndarray:
    """Luminance, red and blue difference of display values, float32 (3, h, w), from digital numbers (h, w)."""
    gains = balance / np.float32(WHITE_LEVEL - camera.black_level)
    pattern_gains = gains[["RGB".index(color) for color in camera.pattern]].reshape(2, 2)
    matrix = color_matrix(camera.saturation)
    padded = cv2.copyMakeBorder(raw, *4 * (_DEMOSAIC_REACH,), cv2.BORDER_REFLECT_101)
    inside = slice(_DEMOSAIC_REACH, -_DEMOSAIC_REACH)
    planes = np.empty((3, *raw.shape), np.float32)
    for rows in _bands(len(raw)):
        linear = padded[rows.start : rows.stop + 2 * _DEMOSAIC_REACH] - np.float32(camera.black_level)
        for row in (0, 1):
            linear[row::2] *= np.tile(pattern_gains[row], linear.shape[1] // 2)
        image = demosaic(np.clip(linear, 0, 1, out=linear), camera.pattern, camera.demosaicing)
        image = cv2.cvtColor(tone(cv2.transform(image, matrix), camera.contrast), cv2.COLOR_RGB2YCrCb)
        for number, plane in enumerate(planes):
            plane[rows] = image[inside, inside, number]
    return planes


def _bands(height: int) -> Iterator[slice]:
    """Yield bands of rows that are small enough for intermediate arrays to stay in the processor's cache."""
    for top in range(0, height, _BAND):
        yield slice(top, min(top + _BAND, height))


def color_matrix(saturation: float) -> np.ndarray:
    """Return the matrix (3, 3) from sensor colors to linear sRGB with a saturation. Rows sum to one."""
    gray = np.tile(_LUMINANCE, (3, 1))
    return ((gray + saturation * (np.eye(3) - gray)) @ _COLOR_MATRIX).astype(np.float32)


def tone(linear: np.ndarray, contrast: float) -> np.ndarray:
    """Convert linear light to display values in [0, 1], both float32 (h, w) or (h, w, 3).

    The curve is a gamma of 1/2.2, followed by an S-curve around the middle. As in a camera it is a table.
    """
    levels = _quantize(linear, 65535, cv2.CV_16U)
    return cv2.LUT(levels, _tone_table(contrast))


def _quantize(image: np.ndarray, levels: int, depth: int) -> np.ndarray:
    """Convert values in [0, 1] to integers up to `levels` of OpenCV's `depth`: rounds and clips in one pass."""
    return np.asarray(cv2.multiply(image, np.full(4, levels, np.float64), dtype=depth))


@cache
def _tone_table(contrast: float) -> np.ndarray:
    display = np.linspace(0, 1, 65536) ** (1 / 2.2)
    return (display * (1 + 0.22 * contrast * (2 * display - 1) * (1 - display))).astype(np.float32)


def sharpen(luma: np.ndarray, sharpening: Sharpening) -> np.ndarray:
    """Unsharp mask on luminance (h, w): add `amount` times the detail, reduced in amplitude by `coring`."""
    if sharpening.amount == 0:
        return luma
    detail = luma - cv2.GaussianBlur(luma, (0, 0), sharpening.radius)
    if sharpening.coring:
        detail -= np.clip(detail, -sharpening.coring, sharpening.coring)
    return luma + np.float32(sharpening.amount) * detail


def _guided(plane: np.ndarray, strength: float) -> np.ndarray:
    """Self-guided filter (He, Sun and Tang 2010): smooths where the variance is as small as that of noise."""
    mean = cv2.boxFilter(plane, -1, (5, 5))
    variance = cv2.boxFilter(plane * plane, -1, (5, 5)) - mean * mean
    share = variance / (variance + np.float32((0.008 * strength) ** 2))
    return cv2.boxFilter(share, -1, (5, 5)) * plane + cv2.boxFilter((1 - share) * mean, -1, (5, 5))


def _mixed_median(plane: np.ndarray, strength: float) -> np.ndarray:
    share = np.float32(min(1.0, 0.5 * strength))
    return plane + share * (cv2.medianBlur(plane, 3) - plane)


_LUMA_FILTERS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "none": lambda plane, strength: plane,
    "gaussian": lambda plane, strength: cv2.GaussianBlur(plane, (0, 0), min(1.2, 0.9 * strength)),
    "bilateral": lambda plane, strength: cv2.bilateralFilter(plane, 5, 0.02 * strength, 1.5),
    "median": _mixed_median,
    "guided": _guided,
}
_CHROMA_FILTERS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "none": lambda plane, strength: plane,
    "gaussian": lambda plane, strength: cv2.GaussianBlur(plane, (0, 0), 1.5 * strength),
    "median": lambda plane, strength: cv2.medianBlur(plane, 5),
}
