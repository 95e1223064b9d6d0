"""Keras data sets of patches, for any Keras backend; the only module of `augment` that imports Keras."""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from augment.batches import Batch, Inputs, Targets, Weights, part_of, stack_inputs, weighted_labels
from augment.damage import check_damaged
from augment.patches import PatchConfig, epoch_order, make_evaluation_patch, make_patch
from augment.photo_cache import PhotoCache
from augment.prefetch import WORKERS
from competition.manipulation import UNALTERED
from competition.utils.errors import InputError

HeadWeights = Callable[[int], Mapping[str, float]]

MIN_PHOTOS = 16  # in a block of an epoch, even if the memory for decoded photos holds fewer
REPLACEMENT = 1  # distinguishes the random numbers that choose a replacement from those that make the patch
EVALUATION_CACHE = 2**28  # bytes of decoded photos: the images of one photo follow each other


class _PatchDataset(keras.utils.PyDataset):
    """Batches made by `_batch`. Keeps the `InputError` that it raised for `reraise_input_errors`.

    Attributes:
        part: which part of every batch is made, as (number of the part, number of parts).
    """

    input_error: InputError | None = None
    part: tuple[int, int] = (0, 1)

    def __getitem__(self, index: int) -> Batch:
        try:
            return self._batch(index)
        except InputError as error:
            self.input_error = error
            raise

    def _batch(self, index: int) -> Batch:
        raise NotImplementedError


@contextmanager
def reraise_input_errors(*datasets: _PatchDataset) -> Iterator[None]:
    """Raise the `InputError` of a data set instead of the exception in which a framework wraps it.

    Use it around `fit` and `predict`.
    """
    try:
        yield
    except Exception as error:
        cause = next((dataset.input_error for dataset in datasets if dataset.input_error is not None), error)
        if cause is error:
            raise
        raise cause from error


class TrainingPatches(_PatchDataset):
    """Batches of random patches for `fit(…, shuffle=False)`: their order is random already, and reproducible.

    A batch is `(inputs, targets, weights)`:

    - inputs: `patch`, uint8 (batch_size, size, size, 3), and `is_manipulated`, float32 (batch_size, 1);
    - targets: the labels of the photos by head, int (batch_size,), 0 where unknown;
    - weights: the weights of the labels in the loss by head, float32 (batch_size,), 0 where unknown.

    An epoch takes `patches_per_photo` patches from every photo (on average with `cells`). Patches that do not fill a
    batch are left out. The competition has manipulated some rows of the split `test`: they are only cropped.

    If a photo can no longer be decoded, its patches come from other photos of its group. Which ones is a function of
    (seed, epoch, index), and of the photos that can be decoded.

    Args:
        table: a manifest; its paths are relative to `folder`.
        folder: folder of the photos.
        targets: labels by head, int (photos,), -1 where unknown.
        config: how patches are made.
        workers: threads that make batches.
        head_weights: maps an epoch to the weights of the heads in the loss; the default weight is 1.
        cells: cells to balance, see `augment.patches.balanced_counts`.
        class_weights: weights of the classes by head, see `augment.patches.class_weights`.
        groups: int (photos,), photos that may replace each other; default: those with the same labels.

    Attributes:
        epoch: the next epoch; set it to the `initial_epoch` of `fit` to resume a run.
        skip: number of batches that are left out at the beginning of the next epoch, but not of those after it.
        damaged: path → reason of the photos that could not be decoded.
        replaced: number of patches of these photos that were made from other photos.

    Raises:
        InputError: a photo is smaller than a patch, or the photos do not fill a batch. On access to a batch: more than
            `augment.damage.MAX_DAMAGED` of the photos, or a whole group, cannot be decoded.
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
        groups: np.ndarray | None = None,
    ) -> None:
        photo_bytes = 3 * int((table["width"] * table["height"]).max())
        in_memory = max(2, config.cache_bytes // photo_bytes)
        # Two blocks are in memory while one follows the other.
        blocks = 1 if in_memory >= len(table) else -(-len(table) // (in_memory // 2))
        self._block = -(-len(table) // max(1, min(blocks, len(table) // MIN_PHOTOS)))
        # Batches that are made at the same time must not need more than two blocks, or photos are decoded repeatedly.
        ahead = max(2, self._block * config.patches_per_photo // config.batch_size)
        workers = min(workers, ahead // 2) if self._block < len(table) else workers
        super().__init__(workers=workers, max_queue_size=min(2 * workers, ahead - workers))
        if len(table) * config.patches_per_photo < config.batch_size:
            raise InputError(
                f"{len(table)} photos with {config.patches_per_photo} patches per photo do not fill a batch of"
                f" {config.batch_size}; use a smaller batch or more patches per photo"
            )
        _check_large_enough(table, config.photo_side)
        self.paths = [Path(folder) / path for path in table["path"]]
        self.altered = ((table["split"] == "test") & (table["manipulation"] != UNALTERED)).to_numpy()
        self.targets = dict(targets)
        self.config = config
        self.head_weights = head_weights
        self.class_weights = dict(class_weights or {})
        self.groups = np.stack(list(targets.values()), axis=1) if groups is None else groups[:, None]
        self.damaged: dict[str, str] = {}
        self.replaced = 0
        self._damage_lock = threading.Lock()
        self.epoch = self.skip = 0
        self._epoch_began = False
        self.photo_cache = PhotoCache(max(config.cache_bytes, 2 * self._block * photo_bytes))
        self._order = lru_cache(maxsize=1)(lambda epoch: epoch_order(len(table), config, epoch, self._block, cells))

    def __len__(self) -> int:
        return len(self.paths) * self.config.patches_per_photo // self.config.batch_size - self.skip

    def _batch(self, index: int) -> Batch:
        return self.batch(self.epoch, self.skip + index)

    def batch(self, epoch: int, index: int) -> Batch:
        """Return batch `index` of any epoch; the result does not depend on earlier calls."""
        patches = part_of(range(index * self.config.batch_size, (index + 1) * self.config.batch_size), self.part)
        rows = self.photos(epoch)[patches.start : patches.stop].copy()
        made = []
        for position, patch in enumerate(patches):
            rows[position], pixels = self._photo(rows[position], epoch, patch)
            made.append(make_patch(pixels, self.config, epoch, patch, bool(self.altered[rows[position]])))
        return stack_inputs(*zip(*made, strict=True)), *self.labels(epoch, rows)

    def _photo(self, row: int, epoch: int, index: int) -> tuple[int, np.ndarray]:
        """The row and the pixels of the photo for a patch: `row`, or another one of its group if `row` is damaged."""
        pixels = self._pixels(row)
        if pixels is not None:
            return row, pixels
        with self._damage_lock:
            self.replaced += 1
        group = np.flatnonzero((self.groups == self.groups[row]).all(axis=1))
        rng = np.random.default_rng((self.config.seed, epoch, index + 1, REPLACEMENT))
        for other in rng.permutation(group).tolist():
            pixels = self._pixels(other)
            if pixels is not None:
                return other, pixels
        raise InputError(f"{self.paths[row]} and all photos with the same labels cannot be decoded; restore them")

    def _pixels(self, row: int) -> np.ndarray | None:
        """The pixels of a photo; None if it is damaged, which is printed once."""
        path = self.paths[row]
        if str(path) in self.damaged:
            return None
        try:
            return self.photo_cache.read(path)
        except InputError as error:
            with self._damage_lock:
                if str(path) not in self.damaged:
                    self.damaged[str(path)] = str(error)
                    check_damaged(self.damaged, len(self.paths))
                    count = f"{len(self.damaged)} of {len(self.paths)} photos"
                    tqdm.write(f"warning: {error}; {count} are replaced by others with the same labels", sys.stderr)
        return None

    def photos(self, epoch: int) -> np.ndarray:
        """Return the photo of every patch of an epoch, as rows of the manifest: int (patches,)."""
        return self._order(epoch)

    def labels(self, epoch: int, photos: np.ndarray) -> tuple[Targets, Weights]:
        """Return the targets and the weights in the loss of some photos, given as rows of the manifest, in an epoch."""
        return weighted_labels(self.targets, photos, self.head_weights(epoch), self.class_weights)

    def on_epoch_begin(self) -> None:
        self._epoch_began = True

    def on_epoch_end(self) -> None:
        # Counted here because Keras starts its workers before `on_epoch_begin`. `fit` also ends an epoch that
        # never began, before the first one.
        if self._epoch_began:
            self.epoch, self.skip = self.epoch + 1, 0
        self._epoch_began = False


class EvaluationPatches(_PatchDataset):
    """Batches of one patch per row of a manifest, in the manifest's order, made by `make_evaluation_patch`.

    A row's `manipulation` is applied to its photo. Rows of the split `test` are patches that the competition has
    manipulated already, so only their center is cropped. Batches are as in `TrainingPatches`; the last one may be
    smaller.

    Args:
        table: a manifest; its paths are relative to `folder`.
        folder: folder of the photos.
        targets: labels by head, int (rows,), -1 where unknown.
        config: `size`, `batch_size`, `input`, `padding` and `cache_bytes` are used, nothing else of it.
        workers: threads that make batches.
        keep: keep the patches in memory for the next epochs, unless they take more than `config.cache_bytes`.

    Attributes:
        multiple: the size of every batch is a multiple of it. The last one is filled with patches of weight 0; then all
            weights are a little larger than 1, so that the mean loss of all patches does not change.

    Raises:
        InputError: on access to a batch with a photo that is too small.
    """

    multiple: int = 1

    def __init__(
        self,
        table: pd.DataFrame,
        folder: Path | str,
        targets: Mapping[str, np.ndarray],
        config: PatchConfig,
        workers: int = WORKERS,
        keep: bool = False,
    ) -> None:
        super().__init__(workers=workers, max_queue_size=2 * workers)
        self._kept: dict[int, Inputs] = {}
        self._keep = keep and 3 * config.size**2 * len(table) <= config.cache_bytes
        self.rows = list(zip(table["path"], table["manipulation"], table["split"] == "test", strict=True))
        self.folder = Path(folder)
        self.targets = dict(targets)
        self.config = config
        self.photo_cache = PhotoCache(EVALUATION_CACHE)

    def __len__(self) -> int:
        return -(-len(self.rows) // self.config.batch_size)

    def _batch(self, index: int) -> Batch:
        first = index * self.config.batch_size
        last = min(len(self.rows), first + self.config.batch_size)
        places = part_of(range(first, last + -(last - first) % self.multiple), self.part)
        rows = np.minimum(places, last - 1)
        targets, weights = self.labels(rows)
        if len(self.rows) % self.multiple:
            scale = np.float32(1 + -len(self.rows) % self.multiple / len(self.rows))
            weights = {head: weight * scale * (np.array(places) < last) for head, weight in weights.items()}
        if index not in self._kept:
            chosen = [self.rows[row] for row in rows]
            manipulated = [manipulation != UNALTERED for _, manipulation, _ in chosen]
            inputs = stack_inputs([self._patch(*row) for row in chosen], manipulated)
            if not self._keep:
                return inputs, targets, weights
            self._kept[index] = inputs
        return self._kept[index], targets, weights

    def labels(self, rows: np.ndarray | slice) -> tuple[Targets, Weights]:
        """Return the targets of some rows, and their weights: 1 where known, 0 where unknown."""
        return weighted_labels(self.targets, rows, {}, {})

    def _patch(self, path: str, manipulation: str, is_test: bool) -> np.ndarray:
        pixels = self.photo_cache.read(self.folder / path)
        try:
            return make_evaluation_patch(pixels, self.config, UNALTERED if is_test else manipulation)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None


def _check_large_enough(table: pd.DataFrame, size: int) -> None:
    small = table.loc[table[["width", "height"]].min(axis=1) < size, "path"]
    if len(small):
        raise InputError(
            f"{len(small)} photos are smaller than a patch of {size} px, the first is {small.iloc[0]};"
            " use a smaller patch size or remove them"
        )
