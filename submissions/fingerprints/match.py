"""How a photo matches a fingerprint: the correlation of its noise residual, at every place where it may lie."""

from dataclasses import dataclass

import numpy as np
from scipy import fft

from competition.utils.errors import InputError
from submissions.fingerprints.noise import Plane

NEIGHBORHOOD = 5  # pixels on each side of the peak that do not count as noise


@dataclass(frozen=True)
class Match:
    """The best match of a photo with a fingerprint.

    Attributes:
        row, column: of the photo's corner in the frame of the fingerprint.
        score: height of the peak, in standard deviations of the correlation elsewhere. Without the device's pattern, it
            is the maximum of `places` standard normal values.
        places: number of places that were searched.
        share: of the fingerprint's pixels that the photo covers.
    """

    row: int
    column: int
    score: float
    places: int
    share: float

    @property
    def peak_to_correlation_energy(self) -> float:
        """The squared score with its sign (Goljan, Fridrich & Filler 2009, equation 6)."""
        return self.score * abs(self.score)


def correlate(pattern: Plane, residual: Plane, luminance: Plane) -> Match:
    """Search a photo in the frame of a fingerprint.

    A photo of the fingerprint's size has one place. A smaller one is a crop, which may lie anywhere within the frame:
    all places are searched by the fast Fourier transform (Goljan & Fridrich 2008, "Camera identification from cropped
    and scaled images"). The residual is weighted by the luminance, because the pattern is a relative gain.

    Args:
        pattern: of the fingerprint, float32 (H, W).
        residual, luminance: of the photo, float32 (h, w), see `submissions.fingerprints.noise.noise_residual`.

    Raises:
        InputError: the photo is larger than the fingerprint along a side.
    """
    (height, width), (rows, columns) = pattern.shape, residual.shape
    if rows > height or columns > width:
        raise InputError(
            f"{columns}x{rows} pixels are larger than the fingerprint's {width}x{height}; expected a photo of the same "
            "size or a crop of one, neither scaled nor rotated"
        )
    signal = residual * luminance
    signal -= signal.mean()
    shape = (height, width)
    product = np.conj(fft.rfft2(signal, shape)) * fft.rfft2(pattern)
    correlation = fft.irfft2(product, shape)
    places = correlation[: height - rows + 1, : width - columns + 1]
    row, column = (int(index) for index in np.unravel_index(int(places.argmax()), places.shape))
    peak = float(correlation[row, column])
    # The transform is circular: rows above the first one are the last ones.
    near = np.ix_(*(np.arange(i - NEIGHBORHOOD, i + NEIGHBORHOOD + 1) % n for i, n in ((row, height), (column, width))))
    energy = np.square(correlation, dtype=np.float64)
    noise = (energy.sum() - energy[near].sum()) / (energy.size - energy[near].size)
    score = peak / np.sqrt(noise) if noise > 0 else 0.0
    return Match(row, column, float(score), places.size, rows * columns / (height * width))
