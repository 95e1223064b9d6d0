import keras
import numpy as np
import pytest

from competition.utils.errors import InputError
from models.exif_language.encoders import image_encoder, text_encoder
from models.exif_language.tokenizer import PAD
from models.saved import load_model

RNG = np.random.default_rng(0)
TOKENS = RNG.integers(1, 20, (3, 9)).astype(np.int32)
PATCHES = RNG.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)


def embed(model, inputs):
    return np.asarray(model(inputs, training=False))


def test_padding_does_not_change_the_unit_vectors_of_texts():
    keras.utils.set_random_seed(0)
    long = text_encoder(20, 9, 8, blocks=2, heads=2, inner=4)
    short = text_encoder(20, 5, 8, blocks=2, heads=2, inner=4)
    for source, target in zip(long.weights, short.weights, strict=True):
        target.assign(source[:5] if target.path.endswith("positions") else source)
    padded = TOKENS.copy()
    padded[:, 5:] = PAD
    assert embed(long, padded).dtype == np.float32
    np.testing.assert_allclose(embed(long, padded), embed(short, TOKENS[:, :5]), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(embed(long, TOKENS), axis=1), 1, atol=1e-6)
    assert np.abs(embed(long, padded) - embed(long, TOKENS)).max() > 1e-3


def test_embedding_depends_on_the_order_of_tokens():
    keras.utils.set_random_seed(0)
    model = text_encoder(20, 9, 8, blocks=1, heads=2, inner=4)
    assert np.abs(embed(model, TOKENS) - embed(model, TOKENS[:, ::-1])).max() > 1e-4


@pytest.mark.parametrize("member", ["convnet", "dctnet", "mobilenet"])
def test_patches_become_unit_vectors(tiny_mobilenet, member):
    model = image_encoder(member, 8)
    embedded = embed(model, PATCHES)
    assert embedded.shape == (2, 8) and embedded.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, atol=1e-6)
    assert model.input.dtype == "uint8"


def test_reloaded_encoders_compute_the_same(tmp_path):
    models = {"text": text_encoder(20, 9, 8, 1, 2, 4), "image": image_encoder("convnet", 8)}
    for name, inputs in (("text", TOKENS), ("image", PATCHES)):
        models[name].save(tmp_path / f"{name}.keras")
        np.testing.assert_array_equal(
            embed(load_model(tmp_path / f"{name}.keras"), inputs), embed(models[name], inputs)
        )


def test_invalid_arguments_raise():
    with pytest.raises(InputError, match="unknown backbone"):
        image_encoder("resnet51", 8)
    with pytest.raises(InputError, match="no weights imagenet"):
        image_encoder("convnet", 8, weights="imagenet")
    with pytest.raises(InputError, match="multiple of the 3 heads"):
        text_encoder(20, 9, 8, heads=3, inner=4)
