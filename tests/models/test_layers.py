import numpy as np
import pytest
from keras import applications
from keras.saving import deserialize_keras_object, serialize_keras_object

from models.backbones import BACKBONES
from models.layers import HighPass, Normalize

PREPROCESSING = {
    "resnet50": applications.resnet.preprocess_input,
    "densenet201": applications.densenet.preprocess_input,
    "inceptionresnetv2": applications.inception_resnet_v2.preprocess_input,
    "mobilenet": applications.mobilenet.preprocess_input,
}


def pixels(low=0, high=256, seed=0):
    return np.random.default_rng(seed).integers(low, high, (2, 16, 24, 3), dtype=np.uint8)


def test_every_pretrained_backbone_has_its_preprocessing_here():
    assert set(PREPROCESSING) == {name for name, backbone in BACKBONES.items() if backbone.pretrained}


@pytest.mark.parametrize("name", PREPROCESSING)
def test_normalise_equals_the_preprocessing_of_the_backbone(name):
    wanted = PREPROCESSING[name](pixels().astype(np.float32))
    np.testing.assert_allclose(np.asarray(Normalize(BACKBONES[name].mode)(pixels())), wanted, atol=2e-5)


def test_high_pass_sees_nothing_in_a_constant_borders_included():
    assert not np.asarray(HighPass()(np.full((1, 12, 12, 3), 77, np.uint8))).any()


def test_high_pass_is_linear_as_long_as_it_does_not_clip():
    faint = pixels(0, 2)
    layer = HighPass()
    once, thrice = np.asarray(layer(faint)), np.asarray(layer(3 * faint + 50))
    assert once.any()
    np.testing.assert_allclose(thrice, 3 * once, atol=1e-4)


def test_high_pass_clips_strong_edges():
    edge = np.zeros((1, 16, 16, 3), np.uint8)
    edge[:, :, 8:] = 255
    out = np.asarray(HighPass(clip=4.0)(edge))
    assert (out.min(), out.max()) == (-4, 4)


@pytest.mark.parametrize("layer", [Normalize("torch"), HighPass(window=3, gain=0.5, clip=2.0)])
def test_a_layer_survives_being_written_down(layer):
    again = deserialize_keras_object(serialize_keras_object(layer))
    np.testing.assert_array_equal(np.asarray(again(pixels())), np.asarray(layer(pixels())))
