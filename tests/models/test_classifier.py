import keras
import numpy as np
import pytest

from augment.dihedral import N_TRANSFORMS, dihedral_transform
from competition.utils.errors import InputError
from models.backbones import BACKBONES, Backbone
from models.classifier import build, copy_weights, freeze_front_end, needed_views
from models.front_ends import FRONT_ENDS
from models.members import FRONT_END_MEMBERS, MEMBERS, smallest_patch
from models.presets import classifier_recipe
from models.recipe import change
from models.saved import load_model

HEADS = {"camera": 3, "iso": 4}
SLOW = ("densenet201", "inceptionresnetv2")  # hundreds of layers: more than ten seconds to build and run
FRONT_END_NAMES = ["none", *FRONT_ENDS]


def small(member, **changes):
    """The recipe `smoke` at the smallest patch of a member, without a training of its front end alone."""
    side = -(-max(16, smallest_patch(member)) // 8) * 8
    return change(classifier_recipe("smoke", member), **{"patch": side, "front_end_recipe": None, **changes})


def inputs(side=32, flag=0, images=3, seed=0):
    patch = np.random.default_rng(seed).integers(0, 256, (images, side, side, 3), dtype=np.uint8)
    return {"patch": patch, "is_manipulated": np.full((images, 1), flag, np.float32)}


def predict(model, *args, **options):
    return {head: np.asarray(predicted) for head, predicted in model(inputs(*args, **options)).items()}


def perturb(model, seed=1):
    """Change all weights of a model, as a training does; returns the model."""
    rng = np.random.default_rng(seed)
    model.set_weights(
        [weight + rng.normal(0, 0.02, weight.shape).astype(weight.dtype) for weight in model.get_weights()]
    )
    return model


@pytest.mark.parametrize("member", [pytest.param(m, marks=pytest.mark.slow) if m in SLOW else m for m in MEMBERS])
def test_every_member_predicts_every_head_at_its_smallest_patch(member):
    recipe = small(member)
    model = build(member, recipe, HEADS)
    predicted = predict(model, recipe.patches.size)
    assert {head: values.shape for head, values in predicted.items()} == {head: (3, n) for head, n in HEADS.items()}
    for values in predicted.values():
        np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-6)
    if member in BACKBONES:
        assert 0 < model.count_params() - BACKBONES[member].parameters < 4_000_000
    front_end = FRONT_ENDS.get(recipe.front_end)
    if front_end is not None and front_end.fixed is not None:
        assert model.get_layer(front_end.fixed).output.shape[-1] == front_end.fixed_width


@pytest.mark.parametrize("front_end", FRONT_END_NAMES)
def test_predictions_depend_on_the_flag_and_on_the_pixels(front_end, tiny_mobilenet):
    model = perturb(build("mobilenet", small("mobilenet", front_end=front_end), HEADS))
    before = predict(model, flag=0)
    for changed in (predict(model, flag=1), predict(model, flag=0, seed=1)):
        for head, predicted in changed.items():
            assert np.abs(predicted - before[head]).max() > 1e-6


@pytest.mark.parametrize("name", [name for name, front_end in FRONT_ENDS.items() if front_end.member])
def test_untrained_backbone_does_not_change_the_predictions_of_a_trained_front_end(name, tiny_mobilenet):
    alone = str(FRONT_ENDS[name].member)
    front_end = perturb(build(alone, small(alone), HEADS))
    model = build("mobilenet", small("mobilenet", front_end=name), HEADS)
    copy_weights(model, front_end)
    for head, predicted in predict(front_end).items():
        np.testing.assert_array_equal(predict(model)[head], predicted)
    perturb(model.get_layer("camera_logits"))
    assert (predict(model)["camera"] != predict(front_end)["camera"]).any()


@pytest.mark.parametrize("front_end", ["dct", "dct_pixels"])
def test_views_are_needed_when_the_backbone_of_a_dct_front_end_has_learned_something(front_end, tiny_mobilenet):
    model = perturb(build("mobilenet", small("mobilenet", front_end=front_end), HEADS))
    assert needed_views(model, 8) == 8
    for head in HEADS:
        layer = model.get_layer(f"{head}_logits")
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    assert needed_views(model, 8) == 1
    pixels = inputs(64, images=1)["patch"][0]
    views = np.stack([dihedral_transform(pixels, element) for element in range(N_TRANSFORMS)])
    for predicted in model({"patch": views, "is_manipulated": np.ones((8, 1), np.float32)}).values():
        np.testing.assert_allclose(predicted, np.tile(predicted[:1], (8, 1)), atol=1e-3)


@pytest.mark.parametrize(("member", "needed"), [("dctnet", 1), ("convnet", 8), ("statnet", 8), ("settingsnet", 8)])
def test_views_are_not_needed_by_the_front_end_dct_alone(member, needed):
    assert needed_views(build(member, small(member), HEADS), 8) == needed


@pytest.mark.parametrize("alone", FRONT_END_MEMBERS)
def test_frozen_front_end_has_no_trainable_weights(alone, tiny_mobilenet):
    front_end = build(alone, small(alone), HEADS)
    model = build("mobilenet", small("mobilenet", front_end=FRONT_END_MEMBERS[alone]), HEADS)
    before = len(model.trainable_weights)
    freeze_front_end(model)
    assert len(model.trainable_weights) == before - len(front_end.trainable_weights) > 0


@pytest.mark.parametrize("front_end", FRONT_END_NAMES)
def test_reloaded_model_takes_raw_pixels_and_predicts_the_same(front_end, tmp_path, tiny_mobilenet):
    model = perturb(build("mobilenet", small("mobilenet", front_end=front_end), HEADS))
    model.save(tmp_path / "model.keras")
    restored = load_model(tmp_path / "model.keras")
    assert restored.input["patch"].dtype == "uint8"
    for side in (32, 48):  # features are pooled over patches of any side
        for head, predicted in predict(model, side).items():
            np.testing.assert_array_equal(predict(restored, side)[head], predicted)


def test_softmax_is_float32_in_mixed_precision(tiny_mobilenet):
    policy = keras.config.dtype_policy()
    model = build("mobilenet", small("mobilenet", precision="mixed_bfloat16"), HEADS)
    assert keras.config.dtype_policy() == policy
    assert model.get_layer("dense_512").compute_dtype == "bfloat16"
    for predicted in predict(model).values():
        assert predicted.dtype == np.float32
        np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-6)


def test_batch_normalization_has_the_momentum_of_the_recipe(tiny_mobilenet):
    model = build("mobilenet", small("mobilenet", momentum=0.7), HEADS)
    found = {layer.momentum for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)}
    assert found == {0.7}


def test_tail_of_the_paper_is_two_dense_layers_of_100(tiny_mobilenet):
    model = build("mobilenet", small("mobilenet", tail="paper"), HEADS)
    assert [model.get_layer(name).output.shape[-1] for name in ("tail_1", "tail_2")] == [100, 100]
    assert not [layer for layer in model.layers if layer.name.startswith("dense_")]


def test_initial_weights_are_loaded_from_a_file(tmp_path, tiny_mobilenet):
    model = perturb(build("mobilenet", small("mobilenet"), HEADS))
    model.save_weights(tmp_path / "a.weights.h5")
    copy = build("mobilenet", small("mobilenet", weights=str(tmp_path / "a.weights.h5")), HEADS)
    np.testing.assert_array_equal(predict(copy)["camera"], predict(model)["camera"])


def test_missing_weights_raise(tmp_path, tiny_mobilenet):
    with pytest.raises(InputError, match=r"absent\.h5 do not exist"):
        build("mobilenet", small("mobilenet", weights=str(tmp_path / "absent.h5")), HEADS)


def test_unavailable_imagenet_weights_raise_an_error_with_the_alternatives(monkeypatch):
    def offline(weights, input_shape):
        raise Exception("URL fetch failure on https://example.org/mobilenet.h5: None -- Name resolution failed")

    monkeypatch.setitem(BACKBONES, "mobilenet", Backbone(offline, "tf", 32))
    message = r"ImageNet weights of mobilenet .*example\.org/mobilenet\.h5.* --weights FILE.* --weights none"
    with pytest.raises(InputError, match=message):
        build("mobilenet", small("mobilenet", front_end="none", weights="imagenet"), HEADS)


def test_pixels_are_standardized_by_the_given_colors(tmp_path):
    recipe = small("resnet18", front_end="none", normalize="training")
    model = build("resnet18", recipe, {"camera": 3}, ((10.0, 20.0, 30.0), (2.0, 4.0, 5.0)))
    model.save(tmp_path / "model.keras")
    for network in (model, load_model(tmp_path / "model.keras")):
        standardize = network.get_layer("standardize")
        assert (standardize.mean, standardize.deviation) == ((10.0, 20.0, 30.0), (2.0, 4.0, 5.0))
