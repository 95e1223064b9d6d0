"""The camera's own processing: white balance, demosaicing, colors, tone, noise reduction, sharpening."""

from collections.abc import Callable

import cv2
import numpy as np

from competition.virtual.cameras import WHITE_LEVEL, Camera, Sharpening
from competition.virtual.demosaic import demosaic

# What a typical sensor's filters see of linear sRGB is the inverse of this; rows sum to one, so that gray stays gray.
_COLOR_MATRIX = np.array([[1.60, -0.45, -0.15], [-0.25, 1.50, -0.25], [-0.02, -0.48, 1.50]])
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def sensor_from_rgb() -> np.ndarray:
    """(3, 3): what the color filters pass of linear sRGB light."""
    return np.linalg.inv(_COLOR_MATRIX).astype(np.float32)


def develop(raw: np.ndarray, camera: Camera, balance: np.ndarray, iso: int) -> np.ndarray:
    """Digital numbers (h, w) → the picture, uint8 (h, w, 3) RGB; `balance` (3,) are the white balance gains."""
    linear = (raw - camera.black_level) * np.float32(1 / (WHITE_LEVEL - camera.black_level))
    for place, color in enumerate(camera.pattern):
        row, column = divmod(place, 2)
        linear[row::2, column::2] *= balance["RGB".index(color)]
    image = demosaic(np.clip(linear, 0, 1, out=linear), camera.pattern, camera.demosaicing)
    image = tone(cv2.transform(image, color_matrix(camera.saturation)), camera.contrast)
    luma, red, blue = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb))
    strength = camera.denoising.strength * (iso / 100) ** 0.35
    luma = _LUMA_FILTERS[camera.denoising.luma](luma, strength)
    red, blue = (_CHROMA_FILTERS[camera.denoising.chroma](plane, strength) for plane in (red, blue))
    luma = sharpen(luma, camera.sharpening)
    image = cv2.cvtColor(cv2.merge([luma, red, blue]), cv2.COLOR_YCrCb2RGB)
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def color_matrix(saturation: float) -> np.ndarray:
    """(3, 3) from sensor colors to linear sRGB, more or less saturated; rows sum to one."""
    gray = np.tile(_LUMINANCE, (3, 1))
    return ((gray + saturation * (np.eye(3) - gray)) @ _COLOR_MATRIX).astype(np.float32)


def tone(linear: np.ndarray, contrast: float) -> np.ndarray:
    """Linear light → [0, 1] display values: gamma 1/2.2 with a toe, then an S-curve around the middle."""
    display = cv2.pow(np.clip(linear, 0, 1), 1 / 2.2)
    bend = np.float32(0.22 * contrast) * (2 * display - 1) * (1 - display)
    return display * (1 + bend)


def sharpen(luma: np.ndarray, sharpening: Sharpening) -> np.ndarray:
    """Unsharp mask: adds `amount` of the detail above `coring`."""
    if sharpening.amount == 0:
        return luma
    detail = luma - cv2.GaussianBlur(luma, (0, 0), sharpening.radius)
    if sharpening.coring:
        detail -= np.clip(detail, -sharpening.coring, sharpening.coring)
    return luma + np.float32(sharpening.amount) * detail


def _guided(plane: np.ndarray, strength: float) -> np.ndarray:
    """Self-guided filter (He, Sun, Tang 2010): flattens where the variance is that of noise."""
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
