import keras
import numpy as np
import pytest

from models.classifier import build
from models.front_ends import FRONT_ENDS
from models.layers import Normalize
from models.members import FRONT_END_MEMBERS
from models.presets import classifier_recipe
from models.recipe import change

HEADS = {"camera": 3}
RECIPE = change(classifier_recipe("smoke", "mobilenet", front_end="dct_pixels"), patch=32, front_end_recipe=None)


def weighted_layers(model: keras.Model) -> dict[str, list[tuple[int, ...]]]:
    return {layer.name: [weight.shape for weight in layer.get_weights()] for layer in model.layers if layer.weights}


def test_front_end_alone_is_that_of_dct():
    assert FRONT_ENDS["dct_pixels"].member == "dctnet"
    assert FRONT_END_MEMBERS["dctnet"] == "dct"


def test_layers_have_the_names_and_shapes_of_the_trained_front_end(tiny_mobilenet):
    alone = weighted_layers(build("dctnet", classifier_recipe("smoke", "dctnet"), HEADS))
    found = weighted_layers(build("mobilenet", RECIPE, HEADS))
    assert {name: shapes for name, shapes in found.items() if name in alone} == alone


def test_backbone_reads_normalized_pixels(tiny_mobilenet):
    model = build("mobilenet", RECIPE, HEADS)
    backbone = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    assert backbone.input_shape[-1] == 3
    pixels = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    normalized = keras.Model(model.get_layer("patch").output, model.get_layer("normalize").output)
    np.testing.assert_array_equal(np.asarray(normalized(pixels)), np.asarray(Normalize("tf")(pixels)))


@pytest.mark.parametrize("member", ["mobilenet", "resnet18"])
def test_imagenet_weights_are_accepted_where_they_exist(member):
    recipe = classifier_recipe("full", member)
    assert (recipe.front_end, recipe.weights) == ("dct_pixels", "imagenet" if member == "mobilenet" else "none")
