import keras
import numpy as np
import pytest

from models.classifier import build
from models.hidden import hidden_network
from models.presets import classifier_recipe

HEADS = {"camera": 3}


def inputs(side):
    patches = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), np.uint8)
    return {"patch": patches, "is_manipulated": np.array([[0], [1]], np.float32)}


@pytest.mark.parametrize(
    ("member", "front_end", "side"), [("dctnet", "dct", 64), ("mobilenet", "none", 32), ("mobilenet", "dct_pixels", 64)]
)
def test_logits_are_those_behind_the_hidden_features(member, front_end, side, tiny_mobilenet, untraced):
    recipe = classifier_recipe("smoke", member, front_end=front_end, patch=side)
    network = build(member, recipe, HEADS)
    batch = inputs(side)
    found = hidden_network(network, "camera")(batch, training=False)
    dense = network.get_layer("camera_logits" if front_end == "none" else "front_end_camera")
    np.testing.assert_allclose(found["logits"], dense(found["hidden"]), atol=1e-5)
    # A backbone that is not trained adds nothing to the logits of its front end.
    np.testing.assert_allclose(keras.ops.softmax(found["logits"]), network(batch, training=False)["camera"], atol=1e-5)


def test_a_network_from_inner_tensors_continues_as_the_whole(untraced):
    network, batch = build("dctnet", classifier_recipe("smoke", "dctnet"), HEADS), inputs(64)
    names = ("front_end_histograms", "is_manipulated")
    inner = [network.get_layer(name).output for name in names]
    values = keras.Model(network.input, inner)(batch)
    whole, part = hidden_network(network, "camera"), hidden_network(network, "camera", inner)
    for name, expected in whole(batch, training=False).items():
        np.testing.assert_allclose(part(values, training=False)[name], expected, atol=1e-5)
