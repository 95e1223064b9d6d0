"""Let test images by one device agree on a camera: images with the same sensor pattern pull each other.

The fourth place of the Kaggle competition matched the sensor noise of test images, which raised its score from 0.976 to
0.987. Here the noise residuals of all pairs of images are correlated. No fingerprint of a known device is needed, but
the images must show the same part of the sensor, as the center crops of the competition do.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.stats import norm

from augment.decode import read_pixels
from competition.utils.errors import InputError
from competition.utils.parallel import parallel_map
from submissions.fingerprints.noise import Plane, noise_residual, remove_periodic

FALSE_LINKS = 0.01  # expected number of links between images by different devices, in the whole test set
CLIP = 3.0  # standard deviations of a whitened residual; larger values are details of the scene
NORMAL_MEDIAN = float(norm.ppf(0.75))  # of the absolute value of a standard normal number
ROWS = 256  # of the matrix of scores that are computed at once
SMALLEST = 1e-12  # probability: no image excludes a camera for all others


def link_images(paths: Sequence[Path], jobs: int = 1) -> NDArray[np.bool_]:
    """Find pairs of images that show the pattern of the same sensor at the same place.

    The score of a pair is the correlation of the whitened residuals, see `whiten`. Between devices it is normal with a
    mean of zero; its deviation is estimated from the median of all absolute scores, since most pairs are of different
    devices. The threshold follows from `FALSE_LINKS` and the number of pairs. Memory: 2 bytes per pixel of all images.

    Args:
        paths: of images of one size.
        jobs: number of processes.

    Returns:
        Symmetric, (images, images), true on the diagonal.

    Raises:
        InputError: an image cannot be read, is too small, or has another size than the first.
    """
    found: list[NDArray[np.float16]] = []
    for path, residual in zip(paths, parallel_map(_whitened, paths, jobs, "sensor noise"), strict=True):
        if found and residual.shape != found[0].shape:
            raise InputError(f"{path} has another size than {paths[0]}; expected test images of one size")
        found.append(residual)
    residuals = np.stack(found).reshape(len(found), -1)
    scores = np.empty((len(paths), len(paths)), np.float32)
    for start in range(0, len(paths), ROWS):
        block = residuals[start : start + ROWS].astype(np.float32)
        for first in range(0, len(paths), ROWS):
            other = residuals[first : first + ROWS].astype(np.float32)
            scores[start : start + ROWS, first : first + ROWS] = block @ other.T
    return link_scores(scores)


def link_scores(scores: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return the pairs whose score is above the threshold of `link_images`, (images, images)."""
    pairs = scores[np.triu_indices(len(scores), 1)]
    links = np.eye(len(scores), dtype=bool)
    if pairs.size:
        deviation = float(np.median(np.abs(pairs))) / NORMAL_MEDIAN
        links |= scores > deviation * norm.isf(FALSE_LINKS / pairs.size)
    return links


def pull_together(probabilities: NDArray[np.floating], links: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the geometric mean of the probabilities of every image and of those that it is linked with.

    Args:
        probabilities: (images, classes).
        links: see `link_images`.

    Returns:
        Probabilities (images, classes); rows sum to one.
    """
    logarithms = np.log(np.maximum(np.asarray(probabilities, np.float64), SMALLEST))
    mean = links @ logarithms / links.sum(axis=1, keepdims=True)
    values = np.exp(mean - mean.max(axis=1, keepdims=True))
    return values / values.sum(axis=1, keepdims=True)


def whiten(residual: Plane) -> Plane:
    """Return the residual with the same magnitude at all frequencies: float32 (h, w), with a norm of (h · w)^¼.

    The correlation of two such residuals at one place does not depend on what their neighbors share (phase-only
    correlation: Kang, Li, Qu & Huang 2012, "Enhancing source camera identification performance with a camera reference
    phase sensor pattern noise"). The product of two independent ones has a variance of about 1.
    """
    spectrum = fft.rfft2(remove_periodic(residual))
    white = fft.irfft2(spectrum / np.maximum(np.abs(spectrum), np.float32(1e-6)), residual.shape)
    deviation = float(white.std())
    if deviation > 0:
        white = np.clip(white / deviation, -CLIP, CLIP)
    white -= white.mean()
    length = float(np.linalg.norm(white))
    return np.asarray(white * (residual.size**0.25 / length if length > 0 else 0.0), np.float32)


def _whitened(path: Path) -> NDArray[np.float16]:
    residual, _ = noise_residual(read_pixels(path))
    return whiten(residual).astype(np.float16)
