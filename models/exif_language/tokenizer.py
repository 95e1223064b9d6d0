"""EXIF text as tokens: one token for the name of a tag, and one for each character of its value.

Token 0 is padding, 1 starts every text, so that no text is empty, and 2 is the comma between tags. Then come the 256
bytes, which spell every character without a token of its own, the characters, and the names of the tags.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
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

    Raises:
        InputError: a tag or character is empty or occurs twice, or a character is longer than one.
    """

    tags: tuple[str, ...]
    characters: tuple[str, ...] = tuple(CHARACTERS)

    def __post_init__(self) -> None:
        for kind, names in (("tag", self.tags), ("character", self.characters)):
            if len(set(names)) < len(names) or "" in names:
                raise InputError(f"each {kind} of a vocabulary must occur once and not be empty: {', '.join(names)}")
        if any(len(character) > 1 for character in self.characters):
            raise InputError(f"expected single characters in a vocabulary, received {', '.join(self.characters)}")

    @property
    def size(self) -> int:
        """The number of tokens."""
        return FIRST_CHARACTER + len(self.characters) + len(self.tags)

    @cached_property
    def _characters(self) -> dict[str, int]:
        return {character: FIRST_CHARACTER + index for index, character in enumerate(self.characters)}

    @cached_property
    def _tags(self) -> dict[str, int]:
        return {tag: FIRST_CHARACTER + len(self.characters) + index for index, tag in enumerate(self.tags)}

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
            if number:
                tokens.append(NEXT)
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
        return [b"".join(spelled[token] for token in row).decode(errors="ignore") for row in tokens]

    def save(self, path: Path | str) -> None:
        """Write the vocabulary as JSON: `{"characters": […], "tags": […]}`."""
        write_json({"characters": list(self.characters), "tags": list(self.tags)}, path)


def load_tokenizer(path: Path | str) -> Tokenizer:
    """Load what `Tokenizer.save` wrote. Raises `InputError` if the file is missing or damaged."""
    data = read_json(path)
    lists = [data.get(key, ()) if isinstance(data, dict) else () for key in ("tags", "characters")]
    if not all(isinstance(words, list) and all(isinstance(word, str) for word in words) for words in lists):
        raise InputError(f"{path} is not a vocabulary of tags and characters; restore it or train again")
    tags, characters = lists
    return Tokenizer(tuple(tags), tuple(characters))
