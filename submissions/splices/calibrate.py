"""Calibrate the splice detector of an exif-language run on its validation photos.

Tested by tests/submissions/splices/test_calibration.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from augment.crops import random_corner
from augment.decode import read_pixels
from augment.manipulations import jpeg
from augment.prefetch import prefetch
from competition.utils.progress import with_progress
from models.exif_language.pairs import QUALITIES
from submissions.exif_language import open_exif_language
from submissions.splices.calibration import CALIBRATION, calibrated_score, fit_calibration, tolerance_limit
from submissions.splices.consistency import COUNT
from submissions.splices.detector import Encoder, embed_grid, load_uncalibrated_encoder

MAX_PHOTOS = 300  # for the variances, and as many others for the threshold
PATCHES = 24  # of each photo, for the variances


def calibrate_run(folder: Path, data: Path) -> None:
    """Write the calibration of a finished run into its folder, unless it has one.

    One half of the validation photos serves for the variances of the embeddings, the other for the threshold. Every
    second photo is recompressed, with a quality drawn from `models.exif_language.pairs.QUALITIES`.

    Args:
        folder: of the run.
        data: folder of its photos.

    Raises:
        InputError: the run is not finished or damaged, or a photo cannot be used.
    """
    if (folder / CALIBRATION).is_file():
        return
    run = open_exif_language(folder)
    encoder = load_uncalibrated_encoder(run)
    paths = [data / path for path in run.manifest.query("split == 'validation'")["path"]]
    shuffled = [paths[index] for index in np.random.default_rng(run.seed).permutation(len(paths))]
    half = len(shuffled) // 2
    fitted, held_out = shuffled[: max(2, half)][:MAX_PHOTOS], shuffled[half:][:MAX_PHOTOS]
    calibration = fit_calibration(_random_embeddings(encoder, fitted))
    scores = []
    for pixels in with_progress(_photos(held_out), "authentic photos", len(held_out), "photo"):
        grid = encoder.grid(pixels, COUNT)
        embeddings = calibration.transform(embed_grid(encoder, pixels, grid))
        scores.append(calibrated_score(embeddings, grid.patch_cells))
    replace(calibration, threshold=tolerance_limit(np.array(scores)), photos=len(scores)).save(folder)


def _photos(paths: Sequence[Path]) -> Iterator[NDArray[np.uint8]]:
    """Yield the pixels of photos, every second one recompressed."""
    return prefetch(partial(_read, paths), len(paths))


def _read(paths: Sequence[Path], index: int) -> NDArray[np.uint8]:
    pixels = read_pixels(paths[index])
    quality = int(np.random.default_rng(index).integers(QUALITIES[0], QUALITIES[1] + 1))
    return jpeg(pixels, quality) if index % 2 else pixels


def _random_embeddings(encoder: Encoder, paths: Sequence[Path]) -> NDArray[np.float32]:
    """Embed `PATCHES` random patches of each photo: float32 (photos, patches, width)."""
    rng, embedded = np.random.default_rng(0), []
    for pixels in with_progress(_photos(paths), "embeddings", len(paths), "photo"):
        height, width, _ = pixels.shape
        corners = [random_corner(height, width, encoder.patch, rng) for _ in range(PATCHES)]
        patches = [pixels[top : top + encoder.patch, left : left + encoder.patch] for top, left in corners]
        embedded.append(encoder.embed(np.stack(patches), lambda count: None))
    return np.stack(embedded)
