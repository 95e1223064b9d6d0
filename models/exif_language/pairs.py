"""Batches of patches and the EXIF texts of their photos.

A training crop is recompressed as a whole before it is cut into patches. So patches share the recompression of their
photo, as in photos that were sent on, and the encoder learns to see the camera through it.

Tested by tests/submissions/test_exif_language.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augment.loaders import EvaluationPatches, TrainingPatches
from augment.manipulations import jpeg
from augment.prefetch import prefetch
from competition.metadata.exif_text import TextOptions, exif_text
from models.exif_language.tokenizer import Tokenizer

PHOTO = "photo"  # the target of `TrainingPatches` that holds the photo of a patch
QUALITIES = 60, 95  # lowest and highest JPEG quality of recompressed crops
HALF_CROP = 0.5  # share of the batches whose crops are cut into four patches each


@dataclass(frozen=True)
class TrainingPairs:
    """Batches of random patches with texts, which depend on (seed, epoch, index) alone.

    Attributes:
        crops: training patches, with the target `photo`: the index of the photo in `tags`.
        tags: the cleaned tags of each photo.
        tokenizer: whose tags the texts contain.
        options: how the texts are made.
        length: number of tokens of a text.
        recompressed: share of the crops that are recompressed, with a JPEG quality that is drawn from `QUALITIES`.
        halves: whether crops are cut into four patches of half their side in `HALF_CROP` of the batches, so that the
            encoder knows patches of both sizes.
    """

    crops: TrainingPatches
    tags: Sequence[Mapping[str, str]]
    tokenizer: Tokenizer
    options: TextOptions
    length: int
    recompressed: float = 0.0
    halves: bool = False

    def __len__(self) -> int:
        return len(self.crops)

    def batch(self, epoch: int, index: int) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.int32]]:
        """Return any batch: patches, tokens of the texts and photos.

        They are uint8 (patches, side, side, 3), int32 (crops, length) and int32 (patches,). Patch n belongs to the text
        of crop n // (patches / crops).
        """
        inputs, labels, _ = self.crops.batch(epoch, index)
        rng = np.random.default_rng((self.crops.config.seed, epoch, index, 1))
        texts = [exif_text(self.tags[row], self.tokenizer.tags, self.options, rng) for row in labels[PHOTO]]
        patches = np.stack([self._recompress(crop, rng) for crop in inputs["patch"]])
        photos = labels[PHOTO].astype(np.int32)
        if self.halves and rng.random() < HALF_CROP:
            patches, photos = cut_quarters(patches), np.repeat(photos, 4)
        return patches, self.tokenizer.encode(texts, self.length), photos

    def _recompress(self, crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        if rng.random() >= self.recompressed:
            return crop
        return jpeg(crop, int(rng.integers(QUALITIES[0], QUALITIES[1] + 1)))


def cut_quarters(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut crops (batch, side, side, 3) into the four quarters of each: (4 · batch, side / 2, side / 2, 3)."""
    batch, side, _, colors = crops.shape
    quarters = crops.reshape(batch, 2, side // 2, 2, side // 2, colors).transpose(0, 1, 3, 2, 4, 5)
    return quarters.reshape(4 * batch, side // 2, side // 2, colors)


@dataclass(frozen=True)
class ValidationPairs:
    """One patch of each photo, and its text.

    Attributes:
        patches: evaluation patches.
        tokens: of the text of each photo, int32 (photos, length).
    """

    patches: EvaluationPatches
    tokens: NDArray[np.int32]

    @property
    def text_ids(self) -> NDArray[np.integer]:
        """A number for each text, the same for equal texts: (photos,)."""
        return np.unique(self.tokens, axis=0, return_inverse=True)[1].reshape(-1)

    def batches(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int32]]]:
        """Yield patches and tokens, in order."""
        size = self.patches.config.batch_size
        for index, (inputs, _, _) in enumerate(prefetch(self.patches.__getitem__, len(self.patches))):
            yield inputs["patch"], self.tokens[index * size : (index + 1) * size]
