import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest

from competition.utils.errors import InputError
from models.backbones import BACKBONES, STEM, Backbone
from models.classifier import adopt_stem, build, load_weights
from models.presets.classifier import recipe
from models.training.fit import load_model

HEADS = {"camera": 3, "iso": 4}
SLOW = ("densenet201", "inceptionresnetv2")  # hundreds of layers: more than ten seconds to build and run


def small(member, **changes):
    """The recipe of `smoke` at the member's smallest patch, without a training of its stem."""
    side = 16 if member == STEM else BACKBONES[member].smallest
    return replace(recipe("smoke", member), stem=None, patch=side, test_patch=side, **changes)


def inputs(side=32, flag=0, images=3, seed=0):
    patch = np.random.default_rng(seed).integers(0, 256, (images, side, side, 3), dtype=np.uint8)
    return {"patch": patch, "is_manipulated": np.full((images, 1), flag, np.float32)}


def answers(model, *args, **options):
    return {head: np.asarray(predicted) for head, predicted in model(inputs(*args, **options)).items()}


def shuffled(model, seed=1):
    """The model with other weights everywhere, as a training leaves it."""
    rng = np.random.default_rng(seed)
    model.set_weights(
        [weight + rng.normal(0, 0.02, weight.shape).astype(weight.dtype) for weight in model.get_weights()]
    )
    return model


@pytest.mark.parametrize(
    "member", [STEM, *(pytest.param(m, marks=pytest.mark.slow) if m in SLOW else m for m in BACKBONES)]
)
def test_every_member_builds_at_its_smallest_patch_and_answers_every_question(member):
    made = small(member)
    predicted = answers(build(member, made, HEADS), made.patch)
    assert {head: answer.shape for head, answer in predicted.items()} == {head: (3, n) for head, n in HEADS.items()}
    for answer in predicted.values():
        np.testing.assert_allclose(answer.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("front_end", ["none", "residual", "stem"])
def test_the_flag_changes_the_answer(front_end, tiny_mobilenet):
    model = build("mobilenet", small("mobilenet", front_end=front_end), HEADS)
    for head, predicted in answers(model, flag=1).items():
        assert np.abs(predicted - answers(model, flag=0)[head]).max() > 1e-4


@pytest.mark.parametrize("front_end", ["none", "residual", "stem"])
def test_the_pixels_change_the_answer(front_end, tiny_mobilenet):
    model = build("mobilenet", small("mobilenet", front_end=front_end), HEADS)
    assert np.abs(answers(model, seed=1)["camera"] - answers(model, seed=2)["camera"]).max() > 1e-6


def test_behind_a_trained_stem_a_fresh_backbone_changes_nothing_yet(tiny_mobilenet):
    stem = shuffled(build(STEM, small(STEM), HEADS))
    model = build("mobilenet", small("mobilenet"), HEADS)
    adopt_stem(model, stem)
    for head, predicted in answers(stem).items():
        np.testing.assert_array_equal(answers(model)[head], predicted)
    shuffled(model.get_layer("camera_logits"))
    assert (answers(model)["camera"] != answers(stem)["camera"]).any()


@pytest.mark.parametrize("front_end", ["none", "residual", "stem"])
def test_a_reloaded_model_takes_raw_pixels_and_answers_the_same(front_end, tmp_path, tiny_mobilenet):
    model = shuffled(build("mobilenet", small("mobilenet", front_end=front_end), HEADS))
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert again.input["patch"].dtype == "uint8"
    for side in (32, 48):  # pooled over the patch, whatever its side
        for head, predicted in answers(model, side).items():
            np.testing.assert_array_equal(answers(again, side)[head], predicted)


def test_the_softmax_is_float32_under_mixed_precision(tiny_mobilenet):
    before = keras.config.dtype_policy()
    model = build("mobilenet", small("mobilenet", precision="mixed_bfloat16"), HEADS)
    assert keras.config.dtype_policy() == before
    assert model.get_layer("dense_512").compute_dtype == "bfloat16"
    for predicted in answers(model).values():
        assert predicted.dtype == np.float32
        np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-6)


def test_batch_normalisation_has_the_momentum_of_the_recipe(tiny_mobilenet):
    model = build("mobilenet", small("mobilenet", momentum=0.7), HEADS)
    found = {layer.momentum for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)}
    assert found == {0.7}


def test_weights_come_from_a_file(tmp_path, tiny_mobilenet):
    model = shuffled(build("mobilenet", small("mobilenet"), HEADS))
    model.save_weights(tmp_path / "a.weights.h5")
    again = build("mobilenet", small("mobilenet", weights=str(tmp_path / "a.weights.h5")), HEADS)
    np.testing.assert_array_equal(answers(again)["camera"], answers(model)["camera"])


@pytest.fixture(scope="module")
def saved(shrink_mobilenet, tmp_path_factory):
    """A network, and the folders `own` and `other` with files of it and of another one, for tests to copy and spoil."""
    folder = tmp_path_factory.mktemp("saved")
    with pytest.MonkeyPatch.context() as patch:
        shrink_mobilenet(patch)
        model = build("mobilenet", small("mobilenet"), HEADS)
    for name, one in (("own", model), ("other", build(STEM, small(STEM), {"camera": 5}))):
        (folder / name).mkdir()
        one.save(folder / name / "a.keras")
        one.save_weights(folder / name / "a.weights.h5")
    return model, folder


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
@pytest.mark.parametrize("damage", ["empty", "truncated", "flipped", "no weights", "of another network"])
def test_damaged_weights_are_named(suffix, damage, tmp_path, saved):
    model, folder = saved
    path = tmp_path / f"a{suffix}"
    shutil.copy(folder / ("other" if damage == "of another network" else "own") / path.name, path)
    spoil(path, damage)
    with pytest.raises(InputError, match=rf"a{suffix} are damaged or belong to another network") as caught:
        load_weights(model, path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", ["empty", "truncated", "flipped", "no weights"])
def test_a_damaged_model_is_named(damage, tmp_path, saved):
    path = tmp_path / "model.keras"
    shutil.copy(saved[1] / "own" / "a.keras", path)
    spoil(path, damage)
    with pytest.raises(InputError, match=r"model\.keras is damaged or not a model .*; delete it") as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


def test_absent_files_are_named(tmp_path, tiny_mobilenet):
    with pytest.raises(InputError, match="train this member first"):
        load_model(tmp_path / "model.keras")
    with pytest.raises(InputError, match=r"absent\.h5 do not exist"):
        build("mobilenet", small("mobilenet", weights=str(tmp_path / "absent.h5")), HEADS)


def test_where_imagenet_weights_cannot_be_downloaded_it_says_what_to_do(monkeypatch):
    def offline(weights, input_shape):
        raise Exception("URL fetch failure on https://example.org/mobilenet.h5: None -- Name resolution failed")

    monkeypatch.setitem(BACKBONES, "mobilenet", Backbone(offline, "tf", 32))
    wanted = r"ImageNet weights of mobilenet .*example\.org/mobilenet\.h5.* --weights FILE.* --weights none"
    with pytest.raises(InputError, match=wanted):
        build("mobilenet", small("mobilenet", front_end="none", weights="imagenet"), HEADS)


def spoil(path, damage):
    data = bytearray(path.read_bytes())
    if damage == "empty":
        data = bytearray()
    elif damage == "truncated":
        data = data[: len(data) // 2]
    elif damage == "no weights":
        data = bytearray(b"a page of text, saved under the wrong name")
    elif damage == "flipped":
        for at in range(len(data) // 4, len(data) * 3 // 4, 7):
            data[at] ^= 0xFF
    path.write_bytes(bytes(data))


def test_pixels_are_standardised_by_what_was_measured(tmp_path):
    made = replace(recipe("smoke", "resnet18"), front_end="none", stem=None, normalize="training")
    model = build("resnet18", made, {"camera": 3}, ((10.0, 20.0, 30.0), (2.0, 4.0, 5.0)))
    standardise = model.get_layer("standardise")
    np.testing.assert_allclose(np.asarray(standardise(np.full((1, 1, 1, 3), 40.0)))[0, 0, 0], [15, 5, 2])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert again.get_layer("standardise").get_config() == standardise.get_config()
