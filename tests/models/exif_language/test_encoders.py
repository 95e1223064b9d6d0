"""Encoders give unit vectors of what is told, and survive their files."""

import keras
import numpy as np
import pytest

from competition.utils.errors import InputError
from models.exif_language.encoders import image_encoder
from models.exif_language.text_encoder import text_encoder
from models.exif_language.tokenizer import PAD
from models.training.fit import load_model

RNG = np.random.default_rng(0)
TOKENS = RNG.integers(1, 20, (3, 9)).astype(np.int32)
PATCHES = RNG.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)


def told(model, inputs):
    return np.asarray(model(inputs, training=False))


def test_texts_are_unit_vectors_that_padding_does_not_change():
    keras.utils.set_random_seed(0)
    long = text_encoder(20, 9, 8, blocks=2, heads=2, inner=4)
    short = text_encoder(20, 5, 8, blocks=2, heads=2, inner=4)
    for theirs, ours in zip(long.weights, short.weights, strict=True):
        ours.assign(theirs[:5] if ours.path.endswith("places") else theirs)
    padded = TOKENS.copy()
    padded[:, 5:] = PAD
    assert told(long, padded).dtype == np.float32
    np.testing.assert_allclose(told(long, padded), told(short, TOKENS[:, :5]), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(told(long, TOKENS), axis=1), 1, atol=1e-6)
    assert np.abs(told(long, padded) - told(long, TOKENS)).max() > 1e-3


def test_the_order_of_tokens_matters():
    keras.utils.set_random_seed(0)
    model = text_encoder(20, 9, 8, blocks=1, heads=2, inner=4)
    assert np.abs(told(model, TOKENS) - told(model, TOKENS[:, ::-1])).max() > 1e-4


@pytest.mark.parametrize("member", ["stem", "mobilenet"])
def test_patches_are_unit_vectors(tiny_mobilenet, member):
    model = image_encoder(member, 8)
    embedded = told(model, PATCHES)
    assert embedded.shape == (2, 8) and embedded.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, atol=1e-6)
    assert model.input.dtype == "uint8"


def test_encoders_survive_their_files(tmp_path):
    models = {"text": text_encoder(20, 9, 8, 1, 2, 4), "image": image_encoder("stem", 8)}
    for name, inputs in (("text", TOKENS), ("image", PATCHES)):
        models[name].save(tmp_path / f"{name}.keras")
        np.testing.assert_array_equal(told(load_model(tmp_path / f"{name}.keras"), inputs), told(models[name], inputs))


def test_what_cannot_be_built_is_refused():
    with pytest.raises(InputError, match="unknown member"):
        image_encoder("resnet51", 8)
    with pytest.raises(InputError, match="no weights imagenet"):
        image_encoder("stem", 8, weights="imagenet")
    with pytest.raises(InputError, match="3 equal heads"):
        text_encoder(20, 9, 8, heads=3, inner=4)
