"""The exported networks predict what the members, their views and the blend predict."""

import keras
import numpy as np
import pytest

from augment.dihedral import N_TRANSFORMS, dihedral_transform
from models.classifier import build
from models.export.standalone import (
    DihedralViews,
    Member,
    QuadraticBlend,
    ensemble_network,
    in_single_precision,
    member_network,
    patch_side,
)
from models.presets import classifier_recipe
from models.recipe import change
from submissions.blending import blend

HEADS = {"camera": 4, "iso": 3}
SIDE = 64
PATCHES = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)
FLAGS = np.array([[0], [1], [0]], np.float32)
INPUTS = {"patch": PATCHES, "is_manipulated": FLAGS}


def network(member, seed=0, **changes):
    """A member with the recipe `smoke` whose weights were changed at random, as by a training."""
    model = build(
        member, change(classifier_recipe("smoke", member), patch=SIDE, front_end_recipe=None, **changes), HEADS
    )
    rng = np.random.default_rng(seed)
    model.set_weights(
        [weight + rng.normal(0, 0.05, weight.shape).astype(weight.dtype) for weight in model.get_weights()]
    )
    return model


def test_views_are_those_of_the_predictions():
    for views in (1, N_TRANSFORMS):
        found = keras.ops.convert_to_numpy(DihedralViews(views)(PATCHES))
        expected = np.concatenate([dihedral_transform(PATCHES, element) for element in range(views)])
        np.testing.assert_array_equal(found, expected)


def test_blend_is_that_of_the_submission():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(5), (8, 3)).astype(np.float32)
    found = keras.ops.convert_to_numpy(QuadraticBlend(8)(probabilities.reshape(24, 5)))
    np.testing.assert_allclose(found, blend(probabilities), atol=1e-6)


def test_member_predicts_the_same():
    dctnet = network("dctnet")
    exported = member_network(Member(dctnet, SIDE, 8))
    assert patch_side(exported) == SIDE
    found, expected = exported.predict_on_batch(INPUTS), dctnet.predict_on_batch(INPUTS)
    for head in HEADS:
        np.testing.assert_allclose(found[head], expected[head], atol=1e-6)


def test_ensemble_blends_all_views_of_all_members(tiny_mobilenet):
    members = [
        Member(network("dctnet"), SIDE, 8),
        Member(network("mobilenet", 1), 32, 8),
        Member(network("convnet", 2), SIDE, 1),
    ]
    found = ensemble_network(members).predict_on_batch(INPUTS)
    for head in HEADS:
        averages = []
        for model, side, views in members:
            first = (SIDE - side) // 2
            center = PATCHES[:, first : first + side, first : first + side]
            by_view = [
                model.predict_on_batch({**INPUTS, "patch": dihedral_transform(center, view)})[head]
                for view in range(views)
            ]
            averages.append(blend(by_view))
        np.testing.assert_allclose(found[head], blend(averages), atol=1e-5)
        np.testing.assert_allclose(found[head].sum(axis=1), 1, atol=1e-5)


def test_mixed_precision_becomes_single_precision(tiny_mobilenet):
    half = network("mobilenet", precision="mixed_float16")
    single = in_single_precision(half)
    assert {layer.compute_dtype for layer in single.layers if layer.weights} == {"float32"}
    expected = half.predict_on_batch(INPUTS)["camera"]
    np.testing.assert_allclose(single.predict_on_batch(INPUTS)["camera"], expected, atol=0.02)
    assert in_single_precision(single) is single


@pytest.mark.parametrize("layer", [DihedralViews(3), QuadraticBlend(5)])
def test_layers_are_restored_from_their_configuration(layer):
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
