import keras
import numpy as np
import pytest
from keras import layers

from competition.utils.errors import InputError
from models.exif_language.dual_encoder import DualEncoder, make_gradient_function
from models.exif_language.encoders import project, text_encoder
from models.exif_language.loss import contrastive_loss
from models.training.backend import value_and_gradients

RNG = np.random.default_rng(0)
PATCHES = RNG.integers(0, 256, (7, 16, 16, 3), dtype=np.uint8)
TOKENS = RNG.integers(1, 20, (7, 6)).astype(np.int32)
PHOTOS = np.array([0, 1, 2, 1, 3, 4, 0], np.int32)


def dual_encoder(image, learn_scale=True):
    return DualEncoder(image, text_encoder(20, 6, 8, 1, 2, 4), 20.0, learn_scale)


def encoder(*normalized):
    pixels = keras.Input((16, 16, 3), dtype="uint8")
    x = layers.Conv2D(4, 3, strides=2, activation="gelu")(layers.Rescaling(1 / 255)(pixels))
    for layer in normalized:
        x = layer(x)
    return keras.Model(pixels, project(layers.Flatten()(x), 8))


@pytest.mark.parametrize(("micro_batch", "learn_scale"), [(3, True), (1, False)])
def test_cached_gradients_equal_those_of_the_whole_batch(micro_batch, learn_scale):
    keras.utils.set_random_seed(0)
    model = dual_encoder(encoder(), learn_scale)
    loss, whole = make_gradient_function(model, 7)(PATCHES, TOKENS, PHOTOS)
    other, cached = make_gradient_function(model, micro_batch)(PATCHES, TOKENS, PHOTOS)
    assert other == pytest.approx(loss, abs=1e-5)
    assert len(whole) == len(model.trainable_variables)
    for variable, one, two in zip(model.trainable_variables, whole, cached, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5, err_msg=variable.path)
        # Softmax ignores what is the same for all keys.
        assert np.abs(one).max() > 1e-6 or variable.path.endswith("key/bias"), variable.path


@pytest.mark.parametrize("micro_batch", [14, 4, 1])
def test_several_patches_share_one_text(micro_batch):
    keras.utils.set_random_seed(0)
    model = dual_encoder(encoder())
    photos, repeated = np.repeat(np.arange(7, dtype=np.int32), 2), np.repeat(TOKENS, 2, axis=0)
    patches = np.concatenate([PATCHES, 255 - PATCHES])
    loss, expected = make_gradient_function(model, 14)(patches, repeated, photos)
    other, found = make_gradient_function(model, micro_batch)(patches, TOKENS, photos)
    assert other == pytest.approx(loss, abs=1e-5)
    for variable, one, two in zip(model.trainable_variables, expected, found, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5, err_msg=variable.path)


def test_batch_norm_uses_the_statistics_of_a_part_in_both_passes():
    keras.utils.set_random_seed(0)
    model = dual_encoder(encoder(layers.BatchNormalization()))
    parts = [slice(0, 3), slice(3, 6), slice(6, 7)]

    def loss(patches, tokens, photos):
        embedded = [model((patches[part], tokens[part]), training=True) for part in parts]
        image, text = (keras.ops.concatenate(part) for part in zip(*embedded, strict=True))
        return contrastive_loss(image, text, photos, model.scale)

    value, expected = value_and_gradients(loss, model.trainable_variables)(PATCHES, TOKENS, PHOTOS)
    found_value, found = make_gradient_function(model, 3)(PATCHES, TOKENS, PHOTOS)
    assert found_value == pytest.approx(float(value), abs=1e-5)
    for variable, one, two in zip(model.trainable_variables, expected, found, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-4 * max(1, np.abs(one).max()), err_msg=variable.path)


def test_learned_scale_is_clipped():
    model = dual_encoder(encoder())
    model.log_scale.assign(9.0)
    model.clip_scale()
    assert float(model.scale) == pytest.approx(100)


def test_other_backends_raise(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match="KERAS_BACKEND=tensorflow"):
        make_gradient_function(dual_encoder(encoder()), 3)
