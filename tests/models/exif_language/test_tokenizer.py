"""Tokens spell every text, whatever its characters, and vocabularies survive being written down."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.utils.errors import InputError
from models.exif_language.tokenizer import CHARACTERS, FIRST_BYTE, NEXT, PAD, START, Tokenizer, load_tokenizer

TOKENISER = Tokenizer(("Make", "FNumber", "Exposure Time, odd: name"))
pieces = st.sampled_from(["Make", "FNumber", ": ", ", ", ":", ",", " ", "Canon", "1/50", "é", "カ", "📷", "\0"])
texts = st.one_of(st.text(), st.lists(pieces).map("".join))


@given(st.lists(texts, max_size=5))
def test_decoding_undoes_encoding(some):
    tokens = TOKENISER.encode(some)
    assert TOKENISER.decode(tokens) == some
    assert tokens.dtype == np.int32 and tokens.shape[0] == len(some)
    assert ((tokens >= 0) & (tokens < TOKENISER.size)).all()


@given(st.lists(texts, min_size=1, max_size=5), st.integers(1, 40))
def test_texts_are_padded_or_cut_to_a_length(some, length):
    tokens = TOKENISER.encode(some, length)
    assert tokens.shape == (len(some), length)
    assert (tokens[:, 0] == START).all()
    for text, row in zip(some, tokens, strict=True):
        alone = TOKENISER.encode([text])[0]
        assert PAD not in alone
        told = min(len(alone), length)
        assert (row[:told] == alone[:told]).all() and (row[told:] == PAD).all()
        assert text.startswith(TOKENISER.decode(row[None])[0])


def test_a_tag_is_one_token_and_a_character_one():
    tokens = TOKENISER.encode(["FNumber: 2.8, Make: Canon"])[0].tolist()
    first = FIRST_BYTE + 256
    tag = first + len(CHARACTERS)
    values = [[first + CHARACTERS.index(character) for character in value] for value in ("2.8", "Canon")]
    assert tokens == [START, tag + 1, *values[0], NEXT, tag, *values[1]]


def test_an_unknown_tag_is_spelt_and_an_unknown_character_is_its_bytes():
    assert TOKENISER.encode(["é"])[0].tolist() == [START, *(FIRST_BYTE + byte for byte in "é".encode())]
    assert TOKENISER.encode(["Gamma: 1"]).shape == (1, 1 + len("Gamma: 1"))


def test_an_empty_text_is_its_start():
    assert TOKENISER.encode([""]).tolist() == [[START]]
    assert TOKENISER.encode([]).shape == (0, 1)


@given(st.lists(st.text(min_size=1), unique=True), st.lists(st.characters(codec="utf-8"), unique=True))
def test_a_vocabulary_survives_its_file(tmp_path_factory, tags, characters):
    path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.json"
    tokenizer = Tokenizer(tuple(tags), tuple(characters))
    tokenizer.save(path)
    assert load_tokenizer(path) == tokenizer


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"tags": ["Make"]},
        {"tags": "Make", "characters": ["a"]},
        {"tags": [1], "characters": ["a"]},
        {"tags": ["Make", "Make"], "characters": ["a"]},
        {"tags": ["Make"], "characters": ["a", "a"]},
        {"tags": ["Make"], "characters": ["ab"]},
        {"tags": [""], "characters": ["a"]},
    ],
)
def test_a_damaged_vocabulary_is_refused(data, tmp_path):
    path = tmp_path / "vocabulary.json"
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match="vocabulary"):
        load_tokenizer(path)


def test_a_missing_vocabulary_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.json does not exist"):
        load_tokenizer(tmp_path / "absent.json")
