"""The noise residual of a photo: what denoising takes away, in which the pattern of the sensor is left.

Lukáš, Fridrich & Goljan (2006), "Digital camera identification from sensor pattern noise", with the wavelet filter of
Mıhçak, Kozintsev & Ramchandran (1999).
"""

import cv2
import numpy as np
import pywt
from numpy.typing import NDArray

from competition.utils.errors import InputError

Plane = NDArray[np.float32]

WAVELET, LEVELS = "db4", 4
NOISE = 3.0  # standard deviation of the noise that is removed, gray levels
SIDES = (3, 5, 7, 9)  # pixels: windows in which the local variance is estimated; the least of them counts
SATURATED = 250  # gray level from which on a pixel shows no sensor noise
LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue, ITU-R BT.601
MULTIPLE = 2**LEVELS  # of which the sides of the padded photo are multiples, pixels
SMALLEST_SIDE = 112  # pixels: below, the wavelet is longer than the coarsest band


def luminance(pixels: NDArray[np.uint8]) -> Plane:
    """Return the luminance of a photo: uint8 (h, w, 3) → float32 (h, w), gray levels."""
    return np.asarray(pixels @ np.array(LUMINANCE, np.float32), np.float32)


def noise_residual(pixels: NDArray[np.uint8]) -> tuple[Plane, Plane]:
    """Return the noise residual of the luminance of a photo, and the luminance: float32 (h, w) each, gray levels.

    In every detail band of the wavelet transform, a coefficient c with the local variance v of the image keeps the
    share σ² / (v + σ²), the part that a Wiener filter takes for noise. Both results are zero where a channel is
    saturated.

    Args:
        pixels: a photo as it was decoded, uint8 (h, w, 3).

    Raises:
        InputError: the photo is smaller than `SMALLEST_SIDE`.
    """
    if min(pixels.shape[:2]) < SMALLEST_SIDE:
        raise InputError(
            f"{pixels.shape[1]}x{pixels.shape[0]} pixels, expected sides of at least {SMALLEST_SIDE} for the noise of "
            "the sensor; use a larger photo"
        )
    levels = luminance(pixels)
    height, width = levels.shape
    padding = ((0, -height % MULTIPLE), (0, -width % MULTIPLE))
    bands = pywt.wavedec2(np.pad(levels, padding, "symmetric"), WAVELET, "periodization", LEVELS)
    details = [tuple(noise_part(band, NOISE**2) for band in level) for level in bands[1:]]
    residual = pywt.waverec2([np.zeros_like(bands[0]), *details], WAVELET, "periodization")[:height, :width]
    valid = pixels.max(axis=2) < SATURATED
    return np.where(valid, residual, np.float32(0)), np.where(valid, levels, np.float32(0))


def noise_part(values: Plane, variance: float) -> Plane:
    """Return the part of `values` (h, w) that a Wiener filter takes for white noise of that variance.

    The local variance of the signal is the least of the estimates in windows of several sides, which keeps noise beside
    edges (Mıhçak et al., section 3).
    """
    squares = np.square(values, dtype=np.float32)
    means = [cv2.boxFilter(squares, -1, (side, side), borderType=cv2.BORDER_REFLECT) for side in SIDES]
    signal = np.maximum(np.minimum.reduce(means) - np.float32(variance), 0)
    return values * (np.float32(variance) / (signal + np.float32(variance)))


def remove_periodic(plane: Plane) -> Plane:
    """Remove what all cameras of a model share: rows, columns and periodic patterns, float32 (h, w).

    The mean of every row and column is subtracted within each of the four phases of a color filter array. Then a Wiener
    filter in the Fourier domain removes peaks, such as those of JPEG blocks and of demosaicing (Chen, Fridrich, Goljan
    & Lukáš 2008, section III.C).
    """
    plane = plane.copy()
    for row in (0, 1):
        for column in (0, 1):
            phase = plane[row::2, column::2]
            phase -= phase.mean(axis=0)
            phase -= phase.mean(axis=1, keepdims=True)
    variance = float(plane.var())
    if not variance:  # a black or white photo has no noise
        return plane
    spectrum = np.fft.fft2(plane).astype(np.complex64)
    magnitude = np.asarray(np.abs(spectrum) / np.sqrt(plane.size), np.float32)
    kept = noise_part(magnitude, variance)
    spectrum *= np.divide(kept, magnitude, out=np.zeros_like(magnitude), where=magnitude > 0)
    return np.fft.ifft2(spectrum).real.astype(np.float32)
