"""Batches of patches and the EXIF texts of their photos.

Tested by tests/submissions/test_exif_language.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augment.loaders import EvaluationPatches, TrainingPatches
from augment.prefetch import prefetch
from competition.metadata.exif_text import TextOptions, exif_text
from models.exif_language.tokenizer import Tokenizer

PHOTO = "photo"  # the target of `TrainingPatches` that holds the photo of a patch


@dataclass(frozen=True)
class TrainingPairs:
    """Batches of random patches with texts, which depend on (seed, epoch, index) alone.

    Attributes:
        patches: training patches, with the target `photo`: the index of the photo in `tags`.
        tags: the cleaned tags of each photo.
        tokenizer: whose tags the texts contain.
        options: how the texts are made.
        length: number of tokens of a text.
    """

    patches: TrainingPatches
    tags: Sequence[Mapping[str, str]]
    tokenizer: Tokenizer
    options: TextOptions
    length: int

    def __len__(self) -> int:
        return len(self.patches)

    def batch(self, epoch: int, index: int) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.int32]]:
        """Return patches (batch, side, side, 3), tokens (batch, length) and photos (batch,) of any batch."""
        inputs, labels, _ = self.patches.batch(epoch, index)
        rng = np.random.default_rng((self.patches.config.seed, epoch, index, 1))
        texts = [exif_text(self.tags[row], self.tokenizer.tags, self.options, rng) for row in labels[PHOTO]]
        return inputs["patch"], self.tokenizer.encode(texts, self.length), labels[PHOTO].astype(np.int32)


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
