"""Train a front end on features that are computed once.

Where the first layers of a network have no weights, their output for a patch never changes. It is computed once for
every training patch and kept in half precision. Training then only runs the layers behind, which takes a hundredth of
the time, so that many more epochs are possible.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import keras
import numpy as np

from augment.loaders import EvaluationPatches, TrainingPatches, reraise_input_errors
from augment.prefetch import prefetch
from competition.utils.atomic_files import atomic_write
from competition.utils.progress import Progress, progress_bar
from models.classifier import build
from models.front_ends import FRONT_ENDS
from models.layers import Tensor
from models.members import FRONT_END_MEMBERS
from models.recipe import Recipe

IS_MANIPULATED = "is_manipulated"
FILES = ("training-features.npy", "validation-features.npy")
PIECE = 16  # patches in a call: bounds the memory for the outputs of the fixed layers

Arrays = dict[str, np.ndarray]
Labels = Callable[[int, np.ndarray], tuple[Arrays, Arrays]]


class FeatureBatches(keras.utils.PyDataset):
    """Batches of features for `fit(…, shuffle=False)`: `((features, flags), targets, weights)`.

    Args:
        features: of all patches, with the flag as the last column, float16 (patches, width + 1).
        labels: maps an epoch and indices of patches to their targets and weights by head.
        batch_size: patches in a batch.
        seed: the order of an epoch depends on it and on the epoch. None keeps the order.
        rows: indices of the patches to use; None for all.
        mixup: α of the Beta distribution of the share in which the examples of a batch are mixed with others (Zhang
            et al. 2018); 0: they are not mixed. Each mix occurs twice, with both targets, whose weights are the shares.

    Attributes:
        epoch, skip: as of `augment.loaders.TrainingPatches`.
    """

    def __init__(
        self,
        features: np.ndarray,
        labels: Labels,
        batch_size: int,
        seed: int | None = None,
        rows: np.ndarray | None = None,
        mixup: float = 0.0,
    ) -> None:
        super().__init__()
        self.features, self.labels, self.batch_size, self.seed = features, labels, batch_size, seed
        self.rows = np.arange(len(features)) if rows is None else rows
        self.mixup = mixup
        self.epoch = self.skip = 0
        self._epoch_began = False

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size) - self.skip

    def __getitem__(self, index: int) -> tuple[tuple[np.ndarray, np.ndarray], Arrays, Arrays]:
        index, rows = self.skip + index, self.rows
        if self.seed is not None:
            rows = np.random.default_rng((self.seed, self.epoch)).permutation(rows)
        rows = rows[index * self.batch_size : (index + 1) * self.batch_size]
        values = self.features[rows].astype(np.float32)
        targets, weights = self.labels(self.epoch, rows)
        if self.mixup:
            values, targets, weights = self._mix(index, values, targets, weights)
        return (values[:, :-1], values[:, -1:]), targets, weights

    def _mix(
        self, index: int, values: np.ndarray, targets: Arrays, weights: Arrays
    ) -> tuple[np.ndarray, Arrays, Arrays]:
        rng = np.random.default_rng((self.seed or 0, self.epoch, index + 1))
        share, other = np.float32(rng.beta(self.mixup, self.mixup)), rng.permutation(len(values))
        mixed = share * values + (1 - share) * values[other]
        return (
            np.concatenate([mixed, mixed]),
            {head: np.concatenate([label, label[other]]) for head, label in targets.items()},
            {head: np.concatenate([share * w, (1 - share) * w[other]]) for head, w in weights.items()},
        )

    def on_epoch_begin(self) -> None:
        self._epoch_began = True

    def on_epoch_end(self) -> None:
        if self._epoch_began:  # `fit` also ends an epoch that never began, before the first one
            self.epoch, self.skip = self.epoch + 1, 0
        self._epoch_began = False


def fixed_layer(member: str, recipe: Recipe) -> str | None:
    """Return the name of the layer up to which the network of a front end alone has no weights, or None."""
    if member not in FRONT_END_MEMBERS:
        return None
    return FRONT_ENDS[recipe.front_end].fixed


def split_network(network: keras.Model, fixed: str) -> tuple[keras.Model, keras.Model]:
    """Split a network at its layer `fixed`: into the part from patches to features, and the part from features on.

    Both share their layers, and so their weights, with the network. The second takes `[features, flags]`.
    """
    features: Tensor = network.get_layer(fixed).output
    flag: Tensor = network.get_layer(IS_MANIPULATED).output
    extractor = keras.Model(network.get_layer("patch").output, features)
    return extractor, keras.Model([features, flag], network.output)


def feature_batches(
    folder: Path,
    member: str,
    recipe: Recipe,
    training: TrainingPatches,
    validation: EvaluationPatches,
    heads: Mapping[str, int],
    seed: int,
    used: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[FeatureBatches, FeatureBatches]:
    """Return batches of features of the training patches of the first epoch, and of the validation patches.

    Features are computed unless `folder` has them, see `compute_features`, and read from there as they are needed.

    Args:
        folder: for the files; several trainings of the same front end and patches may share it.
        member: the front end alone, with a fixed layer, see `fixed_layer`.
        recipe: how it is trained.
        training, validation: the patches.
        heads: number of classes by the name of the head.
        seed: of the order of the batches.
        used: which training photos and which validation images to use, boolean (photos,) and (images,); None for all.

    Raises:
        InputError: a photo cannot be decoded.
    """
    compute_features(folder, member, recipe, training, validation, heads)
    known, checked = (np.load(folder / name, mmap_mode="r") for name in FILES)
    photos, size = training.photos(0)[: len(known)], recipe.patches.batch_size
    of_training, of_validation = (None, None) if used is None else (used[0][photos].nonzero()[0], used[1].nonzero()[0])
    return (
        FeatureBatches(
            known, lambda epoch, rows: training.labels(epoch, photos[rows]), size, seed, of_training, recipe.mixup
        ),
        FeatureBatches(checked, lambda epoch, rows: validation.labels(rows), size, rows=of_validation),
    )


def compute_features(
    folder: Path,
    member: str,
    recipe: Recipe,
    training: TrainingPatches,
    validation: EvaluationPatches,
    heads: Mapping[str, int],
) -> None:
    """Compute the features of the training patches of the first epoch and of all validation patches, unless they exist.

    A feature takes 2 bytes on the disk: the front end `dct` needs 5.4 kB for a patch. `feature_batches` describes the
    arguments.
    """
    files = [folder / name for name in FILES]
    if all(file.exists() for file in files):
        return
    fixed = fixed_layer(member, recipe)
    assert fixed is not None
    extractor, _ = split_network(build(member, recipe, heads), fixed)
    with (
        progress_bar("features of patches", len(training) + len(validation), "batch") as bar,
        reraise_input_errors(training, validation),
    ):
        for file, patches in zip(files, (training, validation), strict=True):
            with atomic_write(file) as partial, partial.open("wb") as stream:
                _write_features(stream, extractor, patches, bar)


def delete_features(folder: Path) -> None:
    """Delete the files of `feature_batches`."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)


def _write_features(
    stream: IO[bytes], extractor: keras.Model, patches: TrainingPatches | EvaluationPatches, bar: Progress
) -> None:
    """Write the features of all patches as an .npy file, float16 (patches, width + 1); the last column is the flag.

    The file is written batch by batch, so that features may exceed the memory. NumPy leaves room in the header for a
    larger first axis, which is only known at the end.
    """
    width, count = extractor.output_shape[-1] + 1, 0
    _write_header(stream, (0, width))
    for inputs, *_ in prefetch(patches.__getitem__, len(patches), patches.workers):
        images = inputs["patch"]
        features = [extractor.predict_on_batch(images[start : start + PIECE]) for start in range(0, len(images), PIECE)]
        rows = np.concatenate([np.concatenate(features), inputs[IS_MANIPULATED]], axis=1).astype(np.float16)
        stream.write(rows.tobytes())
        count += len(rows)
        bar.update()
    stream.seek(0)
    _write_header(stream, (count, width))


def _write_header(stream: IO[bytes], shape: tuple[int, int]) -> None:
    descr = np.lib.format.dtype_to_descr(np.dtype(np.float16))
    np.lib.format.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
