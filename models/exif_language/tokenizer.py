"""Text of EXIF as numbers: one token for a tag's name, one for each character of its value.

Token 0 pads, 1 starts every text (so none is empty), 2 stands for the comma between tags; then come the 256 bytes,
which spell every character that has no token of its own, the characters, and the tags' names.
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
CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,/-"  # those of a cleaned value


@dataclass(frozen=True)
class Tokenizer:
    """A vocabulary: the `tags` whose names are tokens, and the `characters` that are.

    Raises `InputError` where a tag or character is there twice, or one of the characters is several.
    """

    tags: tuple[str, ...]
    characters: tuple[str, ...] = tuple(CHARACTERS)

    def __post_init__(self) -> None:
        for kind, names in (("tag", self.tags), ("character", self.characters)):
            if len(set(names)) < len(names) or "" in names:
                raise InputError(f"a vocabulary holds an empty {kind} or one twice: {', '.join(names)}")
        if any(len(character) > 1 for character in self.characters):
            raise InputError(f"a vocabulary's characters are single ones, not {', '.join(self.characters)}")

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return FIRST_CHARACTER + len(self.characters) + len(self.tags)

    @cached_property
    def _characters(self) -> dict[str, int]:
        return {character: FIRST_CHARACTER + index for index, character in enumerate(self.characters)}

    @cached_property
    def _tags(self) -> dict[str, int]:
        return {tag: FIRST_CHARACTER + len(self.characters) + index for index, tag in enumerate(self.tags)}

    def encode(self, texts: Sequence[str], length: int | None = None) -> NDArray[np.int32]:
        """Tokens of the texts, int32 (texts, length), padded with 0; longer texts are cut.

        `length`: that of the longest text where not given; at least 1.
        """
        rows = [self._tokens(text) for text in texts]
        longest = max(map(len, rows), default=1) if length is None else length
        tokens = np.full((len(rows), longest), PAD, np.int32)
        for row, found in zip(tokens, rows, strict=True):
            row[: len(found)] = found[:longest]
        return tokens

    def _tokens(self, text: str) -> list[int]:
        tokens = [START]
        for number, part in enumerate(text.split(BETWEEN)):
            if number:
                tokens.append(NEXT)
            name, told, value = part.partition(AFTER_NAME)
            if told and name in self._tags:
                tokens.append(self._tags[name])
                part = value
            for character in part:
                if character in self._characters:
                    tokens.append(self._characters[character])
                else:
                    tokens.extend(FIRST_BYTE + byte for byte in character.encode())
        return tokens

    def decode(self, tokens: NDArray[np.integer]) -> list[str]:
        """The texts of (texts, length) tokens: `encode` undone. A character of which bytes were cut off is lost."""
        spelt = [b"", b"", BETWEEN.encode()]
        spelt += [bytes([byte]) for byte in range(256)]
        spelt += [character.encode() for character in self.characters]
        spelt += [(tag + AFTER_NAME).encode() for tag in self.tags]
        return [b"".join(spelt[token] for token in row).decode(errors="ignore") for row in tokens]

    def save(self, path: Path | str) -> None:
        """Write the vocabulary as JSON: `{"characters": […], "tags": […]}`."""
        write_json({"characters": list(self.characters), "tags": list(self.tags)}, path)


def load_tokenizer(path: Path | str) -> Tokenizer:
    """What `Tokenizer.save` wrote; `InputError` where it is missing or damaged."""
    data = read_json(path)
    lists = [data.get(key, ()) if isinstance(data, dict) else () for key in ("tags", "characters")]
    if not all(isinstance(words, list) and all(isinstance(word, str) for word in words) for words in lists):
        raise InputError(f"{path} is no vocabulary of tags and characters; restore it or train again")
    tags, characters = lists
    return Tokenizer(tuple(tags), tuple(characters))
