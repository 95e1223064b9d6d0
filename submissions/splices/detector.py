"""One photograph judged: the image encoder of an exif-language run on a grid of patches, a map of cells, a score."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from competition.utils.errors import InputError, unknown_name
from competition.utils.parallel import PROGRESS_AFTER
from submissions.exif_language import KIND, open_exif_language
from submissions.run import SIMULATED
from submissions.splices.consistency import Grid, consistency_map, detection_score, grid_positions, upsample
from submissions.splices.localization import cut_map, mean_shift_map

METHODS: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {"shift": mean_shift_map, "cut": cut_map}
AT_ONCE = 1000  # patches a call to the network
BATCH = 32  # of which it has so many in work: at full resolution 1000 would take 2.5 GiB
MOST = 60  # patches along a side: with their 75 × 75 cells, mean shift takes 1 GiB
EVEN = 1e-5  # a map of less range than this is the same everywhere, but for rounding


@dataclass(frozen=True)
class Encoder:
    """Patches to unit vectors.

    Attributes:
        identity: encoders of one identity give the same vectors.
        patch: side of a patch, pixels.
        embed: takes uint8 (patches, patch, patch, 3) with values 0…255, as in training, and a function to be told how
            many more are done; gives float32 (patches, width).
        simulated: whether it learnt from simulated photographs alone.
    """

    identity: str
    patch: int
    embed: Callable[[NDArray[np.uint8], Callable[[int], None]], NDArray[np.float32]]
    simulated: bool = False

    def grid(self, pixels: NDArray[np.uint8], count: int) -> Grid:
        """Where its patches lie on a photograph, uint8 (height, width, 3); arguments, errors: `grid_positions`."""
        height, width, _ = pixels.shape
        return grid_positions(height, width, self.patch, count)


@dataclass(frozen=True, eq=False)
class Detection:
    """How a photograph looks to an encoder.

    Attributes:
        grid: where its patches lay.
        heat: map of the grid's cells, float32 (R, C), 0…1, above 0.5 where the method sees the splice.
        score: how inconsistent the photograph is with itself, see `splicing.detection_score`.
    """

    grid: Grid
    heat: NDArray[np.float32]
    score: float

    def pixels(self) -> NDArray[np.float32]:
        """The map in the photograph's size: float32 (height, width), 0…1."""
        return np.clip(upsample(self.heat, self.grid), 0, 1)  # rounding may exceed the range of the cells


def newest_run(folder: Path) -> Path:
    """The exif-language run in `folder` that was finished last. Raises `InputError` where there is none."""
    found = sorted(folder.glob("*/image.keras"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise InputError(f"{folder} holds no finished run of {KIND}; ./run.sh train {KIND} trains one")
    return found[-1].parent


def load_encoder(folder: Path) -> Encoder:
    """The image encoder of an exif-language run. Raises `InputError` for a run that is none, unfinished or damaged."""
    run = open_exif_language(folder)
    import keras

    from models.training.fit import load_model

    network = load_model(run.image)

    def embed(patches: NDArray[np.uint8], done: Callable[[int], None]) -> NDArray[np.float32]:
        # Filled up to whole batches: on a GPU every other size of a batch would be compiled anew.
        filled = np.pad(patches, ((0, -len(patches) % BATCH), (0, 0), (0, 0), (0, 0)))

        def tell(batch: int, logs: Any = None) -> None:
            done(min(BATCH, len(patches) - BATCH * batch))

        progress = keras.callbacks.LambdaCallback(on_predict_batch_end=tell)
        return network.predict(filled, batch_size=BATCH, verbose=0, callbacks=[progress])[: len(patches)]

    identity = hashlib.sha256(run.image.read_bytes()).hexdigest()
    return Encoder(identity, run.recipe.patch, embed, SIMULATED in run.notes)


def embed_grid(encoder: Encoder, pixels: NDArray[np.uint8], grid: Grid, at_once: int = AT_ONCE) -> NDArray[np.float32]:
    """Embeddings of a photograph's patches: float32 (rows, columns, width), from pixels uint8 (height, width, 3).

    Patches are cut out only when their turn comes, `at_once` a call, so memory holds some 50 MB of them however large
    the photograph is. Shows progress where it takes seconds.
    """
    side = grid.patch
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (side, side, 3))[:, :, 0]
    rows, columns = len(grid.tops), len(grid.lefts)
    pieces = []
    with tqdm(total=rows * columns, desc="patches", unit="patch", leave=False, delay=PROGRESS_AFTER) as progress:
        for first in range(0, rows * columns, at_once):
            row, column = np.divmod(np.arange(first, min(first + at_once, rows * columns)), columns)
            pieces.append(encoder.embed(windows[grid.tops[row], grid.lefts[column]], progress.update))
    return np.concatenate(pieces).reshape(rows, columns, -1)


def detect(encoder: Encoder, pixels: NDArray[np.uint8], count: int = 30, method: str = "shift") -> Detection:
    """Where and how much a photograph, uint8 (height, width, 3), is inconsistent with itself.

    Args:
        encoder: whose patches are compared.
        pixels: as they were coded; nothing is scaled.
        count: patches along the longer side, see `splicing.grid_positions`.
        method: `shift` for mean shift, the map stretched to its own range, so that its middle parts what fits from what
            does not; or `cut` for normalized cuts, whose map is of that kind already.

    Raises:
        InputError: a photograph smaller than a patch, an unknown method, or a count below 1 or above 60.
    """
    if method not in METHODS:
        raise unknown_name("method of localisation", method, METHODS)
    if count > MOST:
        raise InputError(f"received a count of {count} patches along a side; expected 1 to {MOST}, as memory allows")
    grid = encoder.grid(pixels, count)
    embeddings = embed_grid(encoder, pixels, grid)
    heat = METHODS[method](consistency_map(embeddings, grid.spread))
    return Detection(grid, stretched(heat) if method == "shift" else heat, detection_score(embeddings))


def stretched(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Values moved and scaled to 0…1; all 0 where they are the same everywhere."""
    lowest, spread = values.min(), np.ptp(values)
    return np.asarray((values - lowest) / spread if spread > EVEN else np.zeros_like(values), np.float32)
