import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.utils.errors import InputError
from models.exif_language.tokenizer import CHARACTERS, FIRST_BYTE, NEXT, PAD, START, Tokenizer, load_tokenizer

TOKENIZER = Tokenizer(("Make", "FNumber", "Exposure Time, odd: name"), parts=("Make: Canon", "1/50", "📷"))
pieces = st.sampled_from(["Make", "FNumber", ": ", ", ", ":", ",", " ", "Canon", "1/50", "é", "カ", "📷", "\0"])
texts = st.one_of(st.text(), st.lists(pieces).map("".join))


@given(st.lists(texts, max_size=5))
def test_decoding_inverts_encoding(some):
    tokens = TOKENIZER.encode(some)
    assert TOKENIZER.decode(tokens) == some
    assert tokens.dtype == np.int32 and tokens.shape[0] == len(some)
    assert ((tokens >= 0) & (tokens < TOKENIZER.size)).all()


@given(st.lists(texts, min_size=1, max_size=5), st.integers(1, 40))
def test_texts_are_padded_or_cut_to_the_length(some, length):
    tokens = TOKENIZER.encode(some, length)
    assert tokens.shape == (len(some), length)
    assert (tokens[:, 0] == START).all()
    for text, row in zip(some, tokens, strict=True):
        alone = TOKENIZER.encode([text])[0]
        assert PAD not in alone
        kept = min(len(alone), length)
        assert (row[:kept] == alone[:kept]).all() and (row[kept:] == PAD).all()
        assert text.startswith(TOKENIZER.decode(row[None])[0])


def test_tags_and_characters_are_one_token_each():
    tokens = TOKENIZER.encode(["FNumber: 2.8, Make: Nikon"])[0].tolist()
    first = FIRST_BYTE + 256
    tag = first + len(CHARACTERS)
    values = [[first + CHARACTERS.index(character) for character in value] for value in ("2.8", "Nikon")]
    assert tokens == [START, tag + 1, *values[0], NEXT, tag, *values[1]]


def test_common_part_is_one_token_and_needs_no_comma_behind_it():
    part = FIRST_BYTE + 256 + len(CHARACTERS) + len(TOKENIZER.tags)
    assert TOKENIZER.encode(["Make: Canon, 1/50, Make: Canon"])[0].tolist() == [START, part, part + 1, part]
    assert TOKENIZER.encode(["Make: Canon, FNumber: "])[0].tolist() == [START, part, part - 2]
    assert TOKENIZER.encode(["Make: Canon, "])[0].tolist() == [START, part, NEXT]
    assert TOKENIZER.size == part + 3


def test_unknown_tags_are_spelled_and_unknown_characters_are_bytes():
    assert TOKENIZER.encode(["é"])[0].tolist() == [START, *(FIRST_BYTE + byte for byte in "é".encode())]
    assert TOKENIZER.encode(["Gamma: 1"]).shape == (1, 1 + len("Gamma: 1"))


def test_empty_text_is_the_start_token():
    assert TOKENIZER.encode([""]).tolist() == [[START]]
    assert TOKENIZER.encode([]).shape == (0, 1)


@given(st.lists(st.text(min_size=1), unique=True), st.lists(st.characters(codec="utf-8"), unique=True))
def test_reloaded_vocabulary_is_equal(tmp_path_factory, tags, characters):
    path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.json"
    tokenizer = Tokenizer(tuple(tags), tuple(characters), tuple(tags[:2]))
    tokenizer.save(path)
    assert load_tokenizer(path) == tokenizer


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"tags": ["Make"]},
        {"tags": ["Make"], "characters": ["a"]},
        {"tags": "Make", "characters": ["a"], "parts": []},
        {"tags": [1], "characters": ["a"], "parts": []},
        {"tags": ["Make", "Make"], "characters": ["a"], "parts": []},
        {"tags": ["Make"], "characters": ["a", "a"], "parts": []},
        {"tags": ["Make"], "characters": ["ab"], "parts": []},
        {"tags": [""], "characters": ["a"], "parts": []},
        {"tags": ["Make"], "characters": ["a"], "parts": ["1", "1"]},
    ],
)
def test_damaged_vocabulary_raises(data, tmp_path):
    path = tmp_path / "vocabulary.json"
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match="vocabulary"):
        load_tokenizer(path)


def test_missing_vocabulary_raises(tmp_path):
    with pytest.raises(InputError, match=r"absent\.json does not exist"):
        load_tokenizer(tmp_path / "absent.json")
