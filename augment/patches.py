"""The patches that feed training and evaluation, as Keras data sets of any backend.

What patch `index` of epoch `epoch` shows depends on `(seed, epoch, index)` and the manifest alone, so
threads, resumed runs and machines agree.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from augment.decode import read_pixels
from augment.dihedral import VIEWS, dihedral
from augment.manipulations import MANIPULATED, UNALTERED, cut_test_patch, fits, training_patch
from augment.squash import rotate, squash
from competition.utils.errors import InputError

WORKERS = os.cpu_count() or 1  # threads: decoding, resizing and coding release the interpreter lock
MANIPULATED_SHARE = 0.5  # as in the competition's test set

Inputs = dict[str, np.ndarray]
Targets = dict[str, np.ndarray]
Weights = dict[str, np.ndarray]
Batch = tuple[Inputs, Targets, Weights]
HeadWeights = Callable[[int], Mapping[str, float]]


@dataclass(frozen=True)
class PatchConfig:
    """How training patches are made: `size` in pixels, `turns` for the eight dihedral views.

    `input` is `patch`, a window of the photograph, or `squash`, all of it, with `padding` pixels of zeros around it and
    turned by up to `rotation` degrees. Of the patches `manipulated_share` are manipulated, by one of `manipulations`;
    squashed ones never are.

    `cache_bytes` bounds the memory for decoded photographs. It is a part of what a seed means: where it does
    not hold all photographs, patches are shuffled within blocks of photographs, each decoded once an epoch.
    """

    size: int
    batch_size: int
    patches_per_photo: int = 1
    seed: int = 0
    dihedral: bool = True
    input: str = "patch"
    manipulated_share: float = MANIPULATED_SHARE
    manipulations: tuple[str, ...] = MANIPULATED
    padding: int = 0
    rotation: float = 0.0
    cache_bytes: int = 2**30


def make_patch(pixels: np.ndarray, config: PatchConfig, epoch: int, index: int) -> tuple[np.ndarray, bool]:
    """Patch `index` of an epoch, cut from a photograph: uint8 (size, size, 3) and whether it was manipulated.

    A share of the patches is manipulated, by any of `manipulations` that fits the photograph with equal chance.
    `pixels` is uint8 (height, width, 3) RGB. Raises `InputError` where the photograph is smaller than the
    patch.
    """
    # Index + 1, because (seed, epoch, 0) is the same seed as (seed, epoch), which the epoch's order has.
    rng = np.random.default_rng((config.seed, epoch, index + 1))
    height, width = pixels.shape[:2]
    name = UNALTERED
    if config.input == "squash":
        patch = squash(pixels, config.size, config.padding)
        if config.rotation:
            patch = rotate(patch, rng.uniform(-config.rotation, config.rotation))
    else:
        if rng.random() < config.manipulated_share:
            fitting = [name for name in config.manipulations if fits(height, width, name, config.size)]
            name = fitting[int(rng.integers(len(fitting)))]
        patch = training_patch(pixels, name, config.size, rng)
    if config.dihedral:
        patch = dihedral(patch, int(rng.integers(VIEWS)))
    return patch, name != UNALTERED


def epoch_order(
    photos: int, config: PatchConfig, epoch: int, block: int, cells: np.ndarray | None = None
) -> np.ndarray:
    """Which photograph each patch of an epoch is cut from: int64 (photos * patches_per_photo,).

    Photographs are shuffled and taken in blocks of `block`; patches are shuffled within a block. With `cells`, see
    `balanced_counts`, some photographs come more often than others.
    """
    rng = np.random.default_rng((config.seed, epoch))
    photographs = rng.permutation(photos)
    counts = np.full(photos, config.patches_per_photo)
    if cells is not None:
        counts = balanced_counts(cells, photos * config.patches_per_photo, rng)
    blocks = [photographs[start : start + block] for start in range(0, photos, block)]
    return np.concatenate([rng.permutation(np.repeat(block, counts[block])) for block in blocks])


def balanced_counts(cells: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """How often each photograph is drawn where every occupied cell is as likely as every other: int64 (photos,).

    `cells`: int (photos,), -1 for a photograph without a cell; those keep their share of the draws, so that they teach
    the heads for which they have labels. Laurence & Murphy (2018), section 2.4.
    """
    occupied, population = np.unique(cells[cells >= 0], return_counts=True)
    chance = np.full(len(cells), 1 / len(cells))
    known = cells >= 0
    sizes = population[np.searchsorted(occupied, cells[known])]
    chance[known] = known.mean() / (len(occupied) * sizes)
    return rng.multinomial(draws, chance)


class _Patches(keras.utils.PyDataset):
    """Batches, made by `_batch`; remembers the `InputError` that it raised."""

    refused: InputError | None = None

    def __getitem__(self, index: int) -> Batch:
        try:
            return self._batch(index)
        except InputError as error:
            self.refused = error
            raise

    def _batch(self, index: int) -> Batch:
        raise NotImplementedError


@contextmanager
def own_errors(*patches: _Patches) -> Iterator[None]:
    """Around `fit` or `predict`: frameworks wrap what a data set raises; this raises its `InputError` itself."""
    try:
        yield
    except Exception as error:
        refused = next((each.refused for each in patches if each.refused is not None), error)
        if refused is error:
            raise
        raise refused from error


class TrainingPatches(_Patches):
    """Batches of random patches for `fit(…, shuffle=False)`; the order is already random, and pure.

    A batch is `({"patch": uint8 (batch_size, size, size, 3), "is_manipulated": float32 (batch_size, 1)},
    targets, weights)`, where `targets` holds, under the same names, the labels of the photographs, and `weights`
    float32 (batch_size,) what each counts in the loss: nothing where the label is unknown. An epoch takes
    `patches_per_photo` patches from every photograph (with `cells`: on average), less those that fill no whole batch.

    `table` is a manifest; its paths are relative to `folder`. `targets` are integers with one row for each of
    its rows, -1 where unknown. `head_weights` gives the weight of each target's loss in an epoch; default 1.
    `cells`: see `balanced_counts`; `class_weights`: of each class of a target. `epoch` is the epoch that comes next:
    a resumed run sets it to what it gives `fit` as `initial_epoch`. Raises `InputError` where a photograph is smaller
    than a patch, or no batch is filled.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        folder: Path | str,
        targets: Mapping[str, np.ndarray],
        config: PatchConfig,
        workers: int = WORKERS,
        head_weights: HeadWeights = lambda epoch: {},
        cells: np.ndarray | None = None,
        class_weights: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        super().__init__(workers=workers, max_queue_size=2 * workers)
        if len(table) * config.patches_per_photo < config.batch_size:
            raise InputError(
                f"{len(table)} photographs with {config.patches_per_photo} patches each do not fill a batch"
                f" of {config.batch_size}; use a smaller batch or more patches per photograph"
            )
        if config.input == "patch":
            _check_large_enough(table, config.size)
        self.paths = [Path(folder) / path for path in table["path"]]
        self.targets = dict(targets)
        self.config = config
        self.head_weights = head_weights
        self.class_weights = dict(class_weights or {})
        self.epoch = 0
        self._epoch_began = False
        photo_bytes = 3 * int((table["width"] * table["height"]).max())
        in_memory = max(1, config.cache_bytes // photo_bytes)
        # Two blocks are in memory while one follows the other.
        self._block = len(table) if in_memory >= len(table) else max(1, in_memory // 2)
        self._read = lru_cache(maxsize=in_memory)(read_pixels)
        self._order = lru_cache(maxsize=1)(lambda epoch: epoch_order(len(table), config, epoch, self._block, cells))

    def __len__(self) -> int:
        return len(self.paths) * self.config.patches_per_photo // self.config.batch_size

    def _batch(self, index: int) -> Batch:
        return self.batch(self.epoch, index)

    def batch(self, epoch: int, index: int) -> Batch:
        """Batch `index` of any epoch, whatever was asked before."""
        patches = range(index * self.config.batch_size, (index + 1) * self.config.batch_size)
        rows = self._order(epoch)[patches.start : patches.stop]
        made = [
            make_patch(self._read(self.paths[row]), self.config, epoch, patch)
            for row, patch in zip(rows, patches, strict=True)
        ]
        return _inputs(*zip(*made, strict=True)), *_labels(
            self.targets, rows, self.head_weights(epoch), self.class_weights
        )

    def on_epoch_begin(self) -> None:
        self._epoch_began = True

    def on_epoch_end(self) -> None:
        # Counted here because Keras starts its workers before `on_epoch_begin`. `fit` also ends an epoch that
        # never began, before the first.
        self.epoch += self._epoch_began
        self._epoch_began = False


def measure_colors(patches: TrainingPatches) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Means and standard deviations of red, green and blue over the patches of the first epoch, in gray levels."""
    count, total, squares = 0, np.zeros(3), np.zeros(3)
    for index in range(len(patches)):
        pixels = patches.batch(0, index)[0]["patch"].reshape(-1, 3).astype(np.float64)
        count, total, squares = count + len(pixels), total + pixels.sum(axis=0), squares + np.square(pixels).sum(axis=0)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 1))  # a flat color must not divide by zero
    return tuple(mean.tolist()), tuple(deviation.tolist())


class EvaluationPatches(_Patches):
    """Batches of one patch for each row of a manifest, in its order, cut as the test set was cut.

    Rows of the split `test` are patches already: their center is taken and nothing is done to them again. All
    others are photographs, to which the row's `manipulation` is applied. With the input `squash` the whole image
    is shown as it is, padded with `padding` pixels of zeros. Batches are those of
    `TrainingPatches`, only the last may be smaller. Raises `InputError` where a photograph is too small.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        folder: Path | str,
        targets: Mapping[str, np.ndarray],
        size: int,
        batch_size: int,
        workers: int = WORKERS,
        input: str = "patch",
        padding: int = 0,
    ) -> None:
        super().__init__(workers=workers, max_queue_size=2 * workers)
        self.rows = list(zip(table["path"], table["manipulation"], table["split"] == "test", strict=True))
        self.folder = Path(folder)
        self.targets = dict(targets)
        self.size = size
        self.batch_size = batch_size
        self.input, self.padding = input, padding
        self._read = lru_cache(maxsize=workers)(read_pixels)  # rows of one photograph follow each other

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def _batch(self, index: int) -> Batch:
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        patches = [self._patch(*row) for row in self.rows[rows]]
        manipulated = [manipulation != UNALTERED for _, manipulation, _ in self.rows[rows]]
        return _inputs(patches, manipulated), *_labels(self.targets, rows, {}, {})

    def _patch(self, path: str, manipulation: str, is_test: bool) -> np.ndarray:
        pixels = self._read(self.folder / path)
        if self.input == "squash":
            return squash(pixels, self.size, self.padding)
        try:
            return cut_test_patch(pixels, UNALTERED if is_test else manipulation, self.size)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None


def _inputs(patches: Sequence[np.ndarray], manipulated: Sequence[bool]) -> Inputs:
    return {"patch": np.stack(patches), "is_manipulated": np.array(manipulated, np.float32)[:, None]}


def class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """What each class must count so that all that occur count alike: float32 (classes,), 1 on average over `labels`."""
    counts = np.bincount(labels[labels >= 0], minlength=classes)
    occurring = counts > 0
    return np.where(occurring, counts.sum() / np.maximum(counts, 1) / occurring.sum(), 0).astype(np.float32)


def _labels(
    targets: Targets,
    rows: np.ndarray | slice,
    head_weights: Mapping[str, float],
    class_weights: Mapping[str, np.ndarray],
) -> tuple[Targets, Weights]:
    """Labels, 0 in the place of unknown ones, and what each counts."""
    known = {name: array[rows] for name, array in targets.items()}
    labels = {name: np.maximum(label, 0) for name, label in known.items()}
    weights = {name: (label >= 0) * np.float32(head_weights.get(name, 1)) for name, label in known.items()}
    for name, of_class in class_weights.items():
        weights[name] *= of_class[labels[name]]
    return labels, weights


def _check_large_enough(table: pd.DataFrame, size: int) -> None:
    small = table.loc[table[["width", "height"]].min(axis=1) < size, "path"]
    if len(small):
        raise InputError(
            f"{len(small)} photographs are smaller than a patch of {size} px, the first is {small.iloc[0]};"
            " use a smaller patch size or remove them"
        )
