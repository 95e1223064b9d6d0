"""Splice detector: run the image encoder of an exif-language run on a grid of patches of one photo."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from competition.utils.errors import InputError, unknown_name
from competition.utils.parallel import PROGRESS_DELAY
from competition.utils.progress import progress_bar
from submissions.exif_language import KIND, ExifRun, open_exif_language
from submissions.run import SIMULATED
from submissions.splices.calibration import CALIBRATION, NEIGHBORS, Calibration, calibrated_score, load_calibration
from submissions.splices.consistency import COUNT, Grid, consistency_map, detection_score, make_grid, upsample
from submissions.splices.localization import cut_map, mean_shift_map

METHODS: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {"shift": mean_shift_map, "cut": cut_map}
PATCHES_PER_CALL = 1000  # of the encoder
BATCH_SIZE = 32  # of the network; a batch of 1000 would take 2.5 GiB
MAX_COUNT = 60  # patches along a side; with their 75 × 75 cells, normalized cuts take about 800 MB
MIN_RANGE = 1e-5  # of a heat map; smaller differences are rounding


@dataclass(frozen=True)
class Encoder:
    """A function from patches to embeddings.

    Attributes:
        identity: encoders with the same identity return the same embeddings.
        patch: side of a patch, pixels.
        embed: takes patches, uint8 (patches, patch, patch, 3) with values 0…255 as in training, and a function that is
            called with the number of patches that were completed; returns unit vectors, float32 (patches, width).
        simulated: whether it was trained on simulated photos only.
        calibration: of its embeddings; None for the published score, which has no threshold.
    """

    identity: str
    patch: int
    embed: Callable[[NDArray[np.uint8], Callable[[int], None]], NDArray[np.float32]]
    simulated: bool = False
    calibration: Calibration | None = None

    @property
    def threshold(self) -> float | None:
        """The score that few authentic photos exceed; None without a calibration."""
        return None if self.calibration is None else self.calibration.threshold

    def grid(self, pixels: NDArray[np.uint8], count: int) -> Grid:
        """Return the grid of patches on a photo, uint8 (height, width, 3). See `make_grid`."""
        height, width, _ = pixels.shape
        return make_grid(height, width, self.patch, count)


@dataclass(frozen=True, eq=False)
class Detection:
    """The result of a splice detector for one photo.

    Attributes:
        grid: of the patches.
        heat: float32 (R, C), one value in [0, 1] per cell of the grid; cells above 0.5 belong to the splice.
        score: how inconsistent the photo is; of an encoder, `submissions.splices.calibration.calibrated_score`.
        threshold: score that few authentic photos exceed; None if it is not known.
    """

    grid: Grid
    heat: NDArray[np.float32]
    score: float
    threshold: float | None = None

    @property
    def is_consistent(self) -> bool:
        """Whether the score is not above the threshold."""
        return self.threshold is not None and self.score <= self.threshold

    def upsampled_heat(self) -> NDArray[np.float32]:
        """Return the heat map in the size of the photo, float32 (height, width) in [0, 1]."""
        heat = upsample(self.heat, self.grid)
        return np.clip(heat, 0, 1, out=heat)  # rounding may exceed the range of the cells


def find_newest_run(folder: Path) -> Path:
    """Return the exif-language run in `folder` that finished last. Raises InputError if there is none."""
    encoders = sorted(folder.glob("*/image.keras"), key=lambda path: path.stat().st_mtime)
    if not encoders:
        raise InputError(f"{folder} has no finished {KIND} run; train one with `train {KIND}`")
    return encoders[-1].parent


def load_encoder(folder: Path) -> Encoder:
    """Load the image encoder of an exif-language run and its calibration.

    Raises:
        InputError: the run is of another kind, not finished or damaged, or has no calibration.
    """
    run, calibration = open_exif_language(folder), load_calibration(folder)
    encoder = load_uncalibrated_encoder(run)
    made_by = encoder.identity.encode() + (folder / CALIBRATION).read_bytes()
    return replace(encoder, identity=hashlib.sha256(made_by).hexdigest(), calibration=calibration)


def load_uncalibrated_encoder(run: ExifRun) -> Encoder:
    """Load the image encoder of a finished run without its calibration. Raises `InputError` if it is damaged."""
    import keras

    from models.saved import load_model

    network = load_model(run.image)

    def embed(patches: NDArray[np.uint8], on_progress: Callable[[int], None]) -> NDArray[np.float32]:
        # Padded to full batches: every other batch size would be compiled again.
        padded = np.pad(patches, ((0, -len(patches) % BATCH_SIZE), (0, 0), (0, 0), (0, 0)))

        def on_batch_end(batch: int, logs: Any = None) -> None:
            on_progress(min(BATCH_SIZE, len(patches) - BATCH_SIZE * batch))

        callback = keras.callbacks.LambdaCallback(on_predict_batch_end=on_batch_end)
        return network.predict(padded, batch_size=BATCH_SIZE, verbose=0, callbacks=[callback])[: len(patches)]

    identity = hashlib.sha256(run.image.read_bytes()).hexdigest()
    return Encoder(identity, run.recipe.scan_patch, embed, SIMULATED in run.notes)


def embed_grid(
    encoder: Encoder, pixels: NDArray[np.uint8], grid: Grid, patches_per_call: int = PATCHES_PER_CALL
) -> NDArray[np.float32]:
    """Return the embeddings of the patches of a photo, uint8 (height, width, 3): float32 (rows, columns, width).

    Patches are cropped when they are needed, `patches_per_call` at a time, so they take about 50 MB for a photo of any
    size. Shows a progress bar if it takes seconds.
    """
    side = grid.patch
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (side, side, 3))[:, :, 0]
    rows, columns = len(grid.tops), len(grid.lefts)
    embeddings = []
    with progress_bar("patches", rows * columns, "patch", delay=PROGRESS_DELAY, leave=False) as progress:
        for first in range(0, rows * columns, patches_per_call):
            row, column = np.divmod(np.arange(first, min(first + patches_per_call, rows * columns)), columns)
            embeddings.append(encoder.embed(windows[grid.tops[row], grid.lefts[column]], progress.update))
    return np.concatenate(embeddings).reshape(rows, columns, -1)


def detect(encoder: Encoder, pixels: NDArray[np.uint8], count: int = COUNT, method: str = "shift") -> Detection:
    """Detect and localize a splice in a photo.

    Args:
        encoder: that embeds the patches.
        pixels: uint8 (height, width, 3) as decoded, never resized.
        count: patches along the longer side, see `make_grid`.
        method: `shift`, mean shift, whose heat map is rescaled to [0, 1] so that 0.5 separates the splice; or `cut`,
            normalized cuts, whose heat map has that property already.

    Raises:
        InputError: the photo is smaller than a patch, the method is unknown, or `count` is below 1 or above 60.
    """
    if method not in METHODS:
        raise unknown_name("localization method", method, METHODS)
    check_count(count)
    grid = encoder.grid(pixels, count)
    embeddings = embed_grid(encoder, pixels, grid)
    if encoder.calibration is None:
        score = detection_score(embeddings)
    else:
        embeddings = encoder.calibration.transform(embeddings)
        score = calibrated_score(embeddings, grid.patch_cells)
    heat = METHODS[method](consistency_map(embeddings, grid.patch_cells, NEIGHBORS))
    return Detection(grid, rescale(heat) if method == "shift" else heat, score, encoder.threshold)


def check_count(count: int) -> None:
    """Raise `InputError` for an invalid number of patches along the longer side."""
    if not 1 <= count <= MAX_COUNT:
        raise InputError(f"expected a count of 1 to {MAX_COUNT} patches along a side, received {count}")


def rescale(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Shift and scale values to [0, 1]; returns zeros if all values are equal up to rounding."""
    lowest, value_range = values.min(), np.ptp(values)
    return np.asarray((values - lowest) / value_range if value_range > MIN_RANGE else np.zeros_like(values), np.float32)
