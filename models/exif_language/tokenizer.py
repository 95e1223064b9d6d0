"""EXIF text as tokens: one token for a common part, such as `FNumber: 2.8`; others are spelled.

A part is what stands between two commas. In a part that is not common, the name of a known tag is one token, and so is
each character of the value. Token 0 is padding, 1 starts every text, so that no text is empty, and 2 is the comma,
which is left out behind a common part. Then come the 256 bytes, which spell every character without a token of its own,
the characters, the names of the tags, and the common parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from competition.metadata.exif_text import AFTER_NAME, BETWEEN
from competition.utils.atomic_files import read_json, write_json
from competition.utils.errors import InputError

PAD, START, NEXT, FIRST_BYTE, FIRST_CHARACTER = 0, 1, 2, 3, 3 + 256
CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,/-"  # of a cleaned value


@dataclass(frozen=True)
class Tokenizer:
    """A vocabulary.

    Attributes:
        tags: names of tags that are one token each.
        characters: characters that are one token each; all others are spelled as bytes.
        parts: parts of texts that are one token each.

    Raises:
        InputError: a tag, character or part is empty or occurs twice, or a character is longer than one.
    """

    tags: tuple[str, ...]
    characters: tuple[str, ...] = tuple(CHARACTERS)
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for kind, names in (("tag", self.tags), ("character", self.characters), ("part", self.parts)):
            if len(set(names)) < len(names) or "" in names:
                raise InputError(f"each {kind} of a vocabulary must occur once and not be empty: {', '.join(names)}")
        if any(len(character) > 1 for character in self.characters):
            raise InputError(f"expected single characters in a vocabulary, received {', '.join(self.characters)}")

    @property
    def size(self) -> int:
        """The number of tokens."""
        return self._first_part + len(self.parts)

    @property
    def _first_part(self) -> int:
        return FIRST_CHARACTER + len(self.characters) + len(self.tags)

    @cached_property
    def _characters(self) -> dict[str, int]:
        return {character: FIRST_CHARACTER + index for index, character in enumerate(self.characters)}

    @cached_property
    def _tags(self) -> dict[str, int]:
        return {tag: FIRST_CHARACTER + len(self.characters) + index for index, tag in enumerate(self.tags)}

    @cached_property
    def _parts(self) -> dict[str, int]:
        return {part: self._first_part + index for index, part in enumerate(self.parts)}

    def encode(self, texts: Sequence[str], length: int | None = None) -> NDArray[np.int32]:
        """Encode texts as tokens, int32 (texts, length), padded with 0.

        Args:
            texts: to encode.
            length: to which texts are padded or cut; None for the length of the longest text.
        """
        rows = [self._tokens(text) for text in texts]
        longest = max(map(len, rows), default=1) if length is None else length
        tokens = np.full((len(rows), longest), PAD, np.int32)
        for row, text in zip(tokens, rows, strict=True):
            row[: len(text)] = text[:longest]
        return tokens

    def _tokens(self, text: str) -> list[int]:
        tokens = [START]
        for number, part in enumerate(text.split(BETWEEN)):
            if number and not (part and tokens[-1] >= self._first_part):
                tokens.append(NEXT)
            if part in self._parts:
                tokens.append(self._parts[part])
                continue
            name, separator, value = part.partition(AFTER_NAME)
            if separator and name in self._tags:
                tokens.append(self._tags[name])
                part = value
            for character in part:
                if character in self._characters:
                    tokens.append(self._characters[character])
                else:
                    tokens.extend(FIRST_BYTE + byte for byte in character.encode())
        return tokens

    def decode(self, tokens: NDArray[np.integer]) -> list[str]:
        """Return the texts of tokens (texts, length). Inverts `encode`, but characters with missing bytes are lost."""
        spelled = [b"", b"", BETWEEN.encode()]
        spelled += [bytes([byte]) for byte in range(256)]
        spelled += [character.encode() for character in self.characters]
        spelled += [(tag + AFTER_NAME).encode() for tag in self.tags]
        spelled += [part.encode() for part in self.parts]
        texts = []
        for row in tokens.tolist():
            # The comma behind a common part has no token, see `_tokens`.
            after_part = [previous >= self._first_part and token > NEXT for previous, token in pairwise([PAD, *row])]
            pieces = [spelled[NEXT] * after + spelled[token] for token, after in zip(row, after_part, strict=True)]
            texts.append(b"".join(pieces).decode(errors="ignore"))
        return texts

    def save(self, path: Path | str) -> None:
        """Write the vocabulary as JSON: `{"characters": […], "parts": […], "tags": […]}`."""
        write_json({name: list(getattr(self, name)) for name in ("characters", "parts", "tags")}, path)


def load_tokenizer(path: Path | str) -> Tokenizer:
    """Load what `Tokenizer.save` wrote. Raises `InputError` if the file is missing or damaged."""
    data = read_json(path)
    lists = [data.get(key, ()) if isinstance(data, dict) else () for key in ("tags", "characters", "parts")]
    if not all(isinstance(words, list) and all(isinstance(word, str) for word in words) for words in lists):
        raise InputError(f"{path} is not a vocabulary of tags, characters and parts; restore it or train again")
    return Tokenizer(*map(tuple, lists))
