import numpy as np
from keras.saving import deserialize_keras_object, serialize_keras_object

from models.front_ends.high_pass import HighPass


def pixels(low=0, high=256):
    return np.random.default_rng(0).integers(low, high, (2, 16, 24, 3), dtype=np.uint8)


def test_constant_image_becomes_zero_also_at_its_borders():
    residual = np.asarray(HighPass()(np.full((1, 12, 12, 3), 77, np.uint8)))
    np.testing.assert_allclose(residual, 0, atol=1e-4)  # gray levels


def test_filter_is_linear_below_the_clipping():
    faint = pixels(0, 2)
    once, thrice = np.asarray(HighPass()(faint)), np.asarray(HighPass()(3 * faint + 50))
    assert once.any()
    np.testing.assert_allclose(thrice, 3 * once, atol=1e-4)


def test_strong_edges_are_clipped():
    edge = np.zeros((1, 16, 16, 3), np.uint8)
    edge[:, :, 8:] = 255
    filtered = np.asarray(HighPass(clip=4.0)(edge))
    assert (filtered.min(), filtered.max()) == (-4, 4)


def test_deserialized_layer_computes_the_same():
    layer = HighPass(window=3, gain=0.5, clip=2.0)
    restored = deserialize_keras_object(serialize_keras_object(layer))
    np.testing.assert_array_equal(np.asarray(restored(pixels())), np.asarray(layer(pixels())))
