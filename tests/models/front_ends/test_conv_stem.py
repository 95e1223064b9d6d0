import keras
import pytest

from models.front_ends.conv_stem import LAYERS, build, feature_maps
from models.presets import classifier_recipe


@pytest.fixture(scope="module")
def pixels():
    return keras.Input((64, 64, 3), dtype="uint8")


def test_there_is_one_feature_map_per_convolution(pixels):
    maps = feature_maps(pixels, 0.9)
    assert [x.shape[-1] for x in maps] == [channels for channels, _ in LAYERS]
    assert [x.shape[1] for x in maps] == [64, 32, 32, 16, 16, 8]


@pytest.mark.parametrize(("smallest", "side", "channels"), [(8, 8, 128), (16, 16, 64), (32, 32, 32), (64, 64, 16)])
def test_backbone_gets_the_last_feature_map_that_is_large_enough(pixels, smallest, side, channels):
    recipe = classifier_recipe("smoke", "convnet", patch=64)
    output = build(pixels, keras.Input((1,)), recipe, smallest)
    assert output.image is not None and output.image.shape == (None, side, side, channels)
    assert output.features is not None and output.features.shape == (None, 128)
    assert output.hidden is not None and output.hidden.shape == (None, 128)
