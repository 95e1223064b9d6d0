import numpy as np
import pytest
from keras import applications
from keras.saving import deserialize_keras_object, serialize_keras_object

from models.backbones import BACKBONES
from models.layers import Normalize, Standardize

PREPROCESSING = {
    "resnet50": applications.resnet.preprocess_input,
    "densenet201": applications.densenet.preprocess_input,
    "inceptionresnetv2": applications.inception_resnet_v2.preprocess_input,
    "mobilenet": applications.mobilenet.preprocess_input,
}


def pixels():
    return np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3), dtype=np.uint8)


def test_preprocessing_of_every_pretrained_backbone_is_tested():
    assert set(PREPROCESSING) == {name for name, backbone in BACKBONES.items() if backbone.pretrained}


@pytest.mark.parametrize("name", PREPROCESSING)
def test_normalize_equals_the_preprocessing_of_the_backbone(name):
    expected = PREPROCESSING[name](pixels().astype(np.float32))
    np.testing.assert_allclose(np.asarray(Normalize(BACKBONES[name].mode)(pixels())), expected, atol=2e-5)


def test_standardize_subtracts_the_mean_and_divides_by_the_deviation():
    layer = Standardize((10.0, 20.0, 30.0), (2.0, 4.0, 5.0))
    np.testing.assert_allclose(np.asarray(layer(np.full((1, 1, 1, 3), 40.0)))[0, 0, 0], [15, 5, 2])


@pytest.mark.parametrize("layer", [Normalize("torch"), Standardize((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))])
def test_deserialized_layer_computes_the_same(layer):
    restored = deserialize_keras_object(serialize_keras_object(layer))
    np.testing.assert_array_equal(np.asarray(restored(pixels())), np.asarray(layer(pixels())))
