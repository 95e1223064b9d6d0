"""Patches for training and evaluation, as NumPy arrays; `augment.loaders` makes Keras data sets of them.

Patch `index` of epoch `epoch` depends on `(seed, epoch, index)` and the manifest alone, so workers, resumed runs and
machines agree.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from augment.dihedral import N_TRANSFORMS, dihedral_copy
from augment.manipulations import cut_test_patch, cut_training_patch, fits
from augment.pipelines import augment_patch
from augment.pipelines import photo_side as augmented_photo_side
from augment.squash import rotate, squash
from augment.tiles import TILE, tile
from competition.manipulation import MANIPULATIONS, UNALTERED

MANIPULATED_SHARE = 0.5  # as in the competition's test set
AUGMENTED = "augmented"


@dataclass(frozen=True)
class PatchConfig:
    """How patches are made. Evaluation patches use `size`, `batch_size`, `input` and `padding` only.

    Attributes:
        size: side of a patch, pixels.
        batch_size: patches in a batch.
        patches_per_photo: patches cut from each photo in an epoch.
        seed: of the order of photos and of every random choice.
        dihedral: apply one of the eight dihedral transforms to each training patch, all equally likely.
        input: `patch`, a crop of the photo; `squash`, the whole photo resized to a square; or `tiles`, see
            `augment.tiles`.
        manipulated_share: share of the training patches that are manipulated; squashed photos and tiles never are.
        manipulations: names of the manipulations to choose from.
        padding: width of the border of zeros around a squashed photo, pixels.
        rotation: largest angle by which a squashed training photo is rotated, degrees.
        cache_bytes: memory for decoded photos. It is part of what a seed means: if it does not hold all photos,
            patches are shuffled within blocks of photos, and each photo is decoded once per epoch.
        augment: a pipeline of albumentations transforms, as `augment.pipelines.read_pipeline` returns it, or None. A
            patch that it changes counts as manipulated and gets none of `manipulations`.
    """

    size: int
    batch_size: int
    patches_per_photo: int = 1
    seed: int = 0
    dihedral: bool = True
    input: str = "patch"
    manipulated_share: float = MANIPULATED_SHARE
    manipulations: tuple[str, ...] = MANIPULATIONS
    padding: int = 0
    rotation: float = 0.0
    cache_bytes: int = 2**30
    augment: str | None = None

    @property
    def photo_side(self) -> int:
        """The shortest side of a photo that training patches can be cut from, pixels."""
        if self.input == "squash":
            return 1
        if self.input == "tiles":
            return TILE
        return self.size if self.augment is None else augmented_photo_side(self.size)


def make_patch(
    pixels: np.ndarray, config: PatchConfig, epoch: int, index: int, altered: bool = False
) -> tuple[np.ndarray, bool]:
    """Make training patch `index` of an epoch from a photo.

    Args:
        pixels: the photo, uint8 (height, width, 3) RGB.
        config: how patches are made. A manipulated patch gets one of `config.manipulations`, chosen uniformly among
            those for which the photo is large enough.
        epoch: number of the epoch, from 0.
        index: number of the patch within the epoch, from 0.
        altered: whether the photo was manipulated before, so that the patch gets no further manipulation.

    Returns:
        The patch, uint8 (size, size, 3) RGB, and whether it was manipulated or augmented.

    Raises:
        InputError: the photo is smaller than the patch.
    """
    # index + 1, because NumPy seeds (seed, epoch, 0) and (seed, epoch) alike, and the latter orders the epoch.
    rng = np.random.default_rng((config.seed, epoch, index + 1))
    height, width = pixels.shape[:2]
    name = UNALTERED
    if config.input == "squash":
        patch = squash(pixels, config.size, config.padding)
        if config.rotation:
            patch = rotate(patch, rng.uniform(-config.rotation, config.rotation))
    elif config.input == "tiles":
        patch = tile(pixels, config.size, rng)
    else:
        augmented = (
            None if config.augment is None or altered else augment_patch(pixels, config.augment, config.size, rng)
        )
        if augmented is not None:
            name, patch = AUGMENTED, augmented
        else:
            if not altered and rng.random() < config.manipulated_share:
                fitting = [name for name in config.manipulations if fits(height, width, name, config.size)]
                name = fitting[int(rng.integers(len(fitting)))]
            patch = cut_training_patch(pixels, name, config.size, rng)
    if config.dihedral:
        patch = dihedral_copy(patch, int(rng.integers(N_TRANSFORMS)))
    return patch, altered or name != UNALTERED


def make_evaluation_patch(pixels: np.ndarray, config: PatchConfig, manipulation: str = UNALTERED) -> np.ndarray:
    """Make the evaluation patch of a photo: uint8 (size, size, 3) RGB, without randomness.

    With the input `patch` this is the center crop of the manipulated photo, as the competition cut its test set. With
    `squash` it is the whole photo, with `tiles` tiles at equal distances; neither applies `manipulation`. `pixels` is
    uint8 (height, width, 3) RGB.

    Raises:
        InputError: the photo is too small, or the manipulation is unknown.
    """
    if config.input == "squash":
        return squash(pixels, config.size, config.padding)
    if config.input == "tiles":
        return tile(pixels, config.size)
    return cut_test_patch(pixels, manipulation, config.size)


def epoch_order(
    photos: int, config: PatchConfig, epoch: int, block: int, cells: np.ndarray | None = None
) -> np.ndarray:
    """Return the photo of each patch of an epoch: int64 (photos * patches_per_photo,).

    Photos are shuffled. If they do not fit into one block, they are divided into blocks of at most `block` photos, of
    almost the same size, one after another. Within a block, no photo occurs again before all others have occurred, so
    that a batch mixes as many photos as it can. With `cells`, photos of rare cells occur more often, see
    `balanced_counts`.
    """
    rng = np.random.default_rng((config.seed, epoch))
    shuffled = rng.permutation(photos)
    counts = np.full(photos, config.patches_per_photo)
    if cells is not None:
        counts = balanced_counts(cells, photos * config.patches_per_photo, rng)
    if photos <= block:
        return rng.permutation(np.repeat(shuffled, counts[shuffled]))
    blocks = np.array_split(shuffled, -(-photos // block))
    return np.concatenate([part[counts[part] > n] for part in blocks for n in range(counts[part].max())])


def balanced_counts(cells: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw how often each photo occurs, with equal probability for every occupied cell: int64 (photos,).

    `cells` is int (photos,): the joint class of each photo's labels, -1 if a label is unknown. Photos without a cell
    keep their share of the draws, so that they train the heads whose labels are known. Source: Laurence & Murphy
    (2018), section 2.4.
    """
    occupied, population = np.unique(cells[cells >= 0], return_counts=True)
    chance = np.full(len(cells), 1 / len(cells))
    known = cells >= 0
    sizes = population[np.searchsorted(occupied, cells[known])]
    chance[known] = known.mean() / (len(occupied) * sizes)
    return rng.multinomial(draws, chance)


def class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return loss weights that give every class in `labels` the same total weight: float32 (classes,).

    The weights average 1 over the known `labels`; -1 is an unknown label. Classes without a label get 0.
    """
    counts = np.bincount(labels[labels >= 0], minlength=classes)
    occurring = counts > 0
    return np.where(occurring, counts.sum() / np.maximum(counts, 1) / occurring.sum(), 0).astype(np.float32)


def color_statistics(patches: Iterable[np.ndarray]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the means and the standard deviations of red, green and blue, in gray levels from 0 to 255.

    `patches` are uint8 arrays (…, 3). Standard deviations are at least 1, so that dividing by them is safe.
    """
    count, total, squares = 0, np.zeros(3), np.zeros(3)
    for patch in patches:
        pixels = patch.reshape(-1, 3).astype(np.float64)
        count, total, squares = count + len(pixels), total + pixels.sum(axis=0), squares + np.square(pixels).sum(axis=0)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 1))
    return tuple(mean.tolist()), tuple(deviation.tolist())
