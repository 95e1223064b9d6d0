"""Pairs of a patch and the EXIF text of its photograph, as arrays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augment.loaders import EvaluationPatches, TrainingPatches
from augment.prefetch import prefetch
from competition.metadata.exif_text import TextOptions, exif_text
from models.exif_language.tokenizer import Tokenizer

PHOTOGRAPH = "photograph"  # the target of `TrainingPatches` that holds a patch's photograph


@dataclass(frozen=True)
class TrainingPairs:
    """Batches of random patches with texts, a function of (seed, epoch, index).

    patches: with the target `photograph`, the row of each photograph in `tags`, its cleaned tags.
    tokenizer: its tags are those that are told. length: tokens of a text.
    """

    patches: TrainingPatches
    tags: Sequence[Mapping[str, str]]
    tokenizer: Tokenizer
    options: TextOptions
    length: int

    def __len__(self) -> int:
        return len(self.patches)

    def batch(self, epoch: int, index: int) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.int32]]:
        """Patches (batch, side, side, 3), tokens (batch, length) and photographs (batch,) of any batch."""
        inputs, labels, _ = self.patches.batch(epoch, index)
        rng = np.random.default_rng((self.patches.config.seed, epoch, index, 1))
        kept = self.tokenizer.tags
        texts = [exif_text(self.tags[row], kept, self.options, rng) for row in labels[PHOTOGRAPH]]
        return inputs["patch"], self.tokenizer.encode(texts, self.length), labels[PHOTOGRAPH].astype(np.int32)


@dataclass(frozen=True)
class ValidationPairs:
    """One patch of each photograph, and its text: tokens int32 (photographs, length)."""

    patches: EvaluationPatches
    tokens: NDArray[np.int32]

    @property
    def kinds(self) -> NDArray[np.integer]:
        """A number for each text, the same for equal ones."""
        return np.unique(self.tokens, axis=0, return_inverse=True)[1].reshape(-1)

    def batches(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int32]]]:
        """Patches and tokens, in order."""
        size = self.patches.config.batch_size
        made: Iterator[Any] = prefetch(self.patches.__getitem__, len(self.patches))
        for index, (inputs, _, _) in enumerate(made):
            yield inputs["patch"], self.tokens[index * size : (index + 1) * size]
