"""Gradients in pieces are those of the whole batch."""

import keras
import numpy as np
import pytest
from keras import layers

from competition.utils.errors import InputError
from models.exif_language.dual_encoder import Joint, gradients_of
from models.exif_language.loss import contrastive_loss
from models.exif_language.text_encoder import text_encoder, unit
from models.training.backend import differentiated

RNG = np.random.default_rng(0)
PATCHES = RNG.integers(0, 256, (7, 16, 16, 3), dtype=np.uint8)
TOKENS = RNG.integers(1, 20, (7, 6)).astype(np.int32)
PHOTOGRAPHS = np.array([0, 1, 2, 1, 3, 4, 0], np.int32)


def joint(image, learned=True):
    return Joint(image, text_encoder(20, 6, 8, 1, 2, 4), 20.0, learned)


def encoder(*normalized):
    pixels = keras.Input((16, 16, 3), dtype="uint8")
    x = layers.Conv2D(4, 3, strides=2, activation="gelu")(layers.Rescaling(1 / 255)(pixels))
    for layer in normalized:
        x = layer(x)
    return keras.Model(pixels, unit(layers.Flatten()(x), 8))


@pytest.mark.parametrize("micro, learned", [(3, True), (1, False)])
def test_the_gradients_of_pieces_are_those_of_the_whole_batch(micro, learned):
    keras.utils.set_random_seed(0)
    model = joint(encoder(), learned)
    loss, whole = gradients_of(model, 7)(PATCHES, TOKENS, PHOTOGRAPHS)
    other, cached = gradients_of(model, micro)(PATCHES, TOKENS, PHOTOGRAPHS)
    assert other == pytest.approx(loss, abs=1e-5)
    assert len(whole) == len(model.trainable_variables)
    for variable, one, two in zip(model.trainable_variables, whole, cached, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5, err_msg=variable.path)
        # Softmax does not see what is the same for all keys.
        assert np.abs(one).max() > 1e-6 or variable.path.endswith("key/bias"), variable.path


def test_batch_norm_takes_its_statistics_from_a_piece_in_both_passes():
    keras.utils.set_random_seed(0)
    model = joint(encoder(layers.BatchNormalization()))
    pieces = [slice(0, 3), slice(3, 6), slice(6, 7)]

    def loss(patches, tokens, photographs):
        embedded = [model((patches[piece], tokens[piece]), training=True) for piece in pieces]
        image, text = (keras.ops.concatenate(part) for part in zip(*embedded, strict=True))
        return contrastive_loss(image, text, photographs, model.scale)

    value, expected = differentiated(loss, model.trainable_variables)(PATCHES, TOKENS, PHOTOGRAPHS)
    found_value, found = gradients_of(model, 3)(PATCHES, TOKENS, PHOTOGRAPHS)
    assert found_value == pytest.approx(float(value), abs=1e-5)
    for variable, one, two in zip(model.trainable_variables, expected, found, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-4 * max(1, np.abs(one).max()), err_msg=variable.path)


def test_a_learned_scale_is_limited():
    model = joint(encoder())
    model.log_scale.assign(9.0)
    model.limit_scale()
    assert float(model.scale) == pytest.approx(100)


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match="KERAS_BACKEND=tensorflow"):
        gradients_of(joint(encoder()), 3)
