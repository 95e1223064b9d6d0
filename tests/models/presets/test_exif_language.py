from dataclasses import asdict

import pytest

from competition.utils.errors import InputError
from models.exif_language.recipe import recipe_from_json
from models.presets import EXIF_LANGUAGE, PRESETS, dual_encoder_recipe, preset_names
from models.presets.exif_language import PAPER


@pytest.mark.parametrize("preset", preset_names(EXIF_LANGUAGE))
def test_every_preset_is_valid_and_none_changes_nothing(preset):
    recipe = dual_encoder_recipe(preset, None, epochs=None, batch=None)
    assert recipe == PRESETS[EXIF_LANGUAGE, preset].recipe == recipe_from_json(asdict(recipe))
    assert dual_encoder_recipe(preset, epochs=3).epochs == 3


@pytest.mark.parametrize("preset", preset_names(EXIF_LANGUAGE))
def test_training_and_test_patches_have_the_same_place_in_jpeg_blocks(preset):
    recipe = dual_encoder_recipe(preset)
    assert (recipe.test_patch - recipe.patches.size) % 16 == 0


def test_paper_has_the_published_values():
    assert (PAPER.test_patch, PAPER.learning_rate, PAPER.scale, PAPER.learn_scale) == (124, 1e-4, 100, False)
    assert PAPER.patches.batch_size > PAPER.micro_batch


def test_changed_patch_is_that_of_training_and_test():
    recipe = dual_encoder_recipe("quick", patch=32)
    assert (recipe.patches.size, recipe.test_patch) == (32, 32)


def test_training_patches_that_are_too_small_for_the_backbone_become_test_patches():
    recipe = dual_encoder_recipe("quick", "inceptionresnetv2")
    assert not recipe.halves and recipe.patches.size == recipe.scan_patch == recipe.test_patch == 128


@pytest.mark.parametrize(
    ("preset", "backbone", "weights"),
    [
        ("paper", "densenet201", "imagenet"),
        ("paper", "resnet18", "none"),
        ("paper", "convnet", "none"),
        ("quick", "resnet50", "none"),
    ],
)
def test_another_backbone_starts_from_imagenet_weights_if_the_preset_does_and_they_exist(preset, backbone, weights):
    assert dual_encoder_recipe(preset, backbone).weights == weights


@pytest.mark.parametrize(
    ("preset", "backbone", "changes", "message"),
    [
        ("full", None, {}, "unknown preset 'full'; known: paper, quick, smoke"),
        ("quick", "resnet51", {}, "unknown backbone 'resnet51'; known: resnet50"),
        ("quick", "statnet", {}, "unknown backbone 'statnet'"),
        ("quick", "inceptionresnetv2", {"patch": 64}, "at least 75 pixels, received 64"),
        ("quick", None, {"batch": 1}, "at least 2"),
        ("quick", None, {"inner": 15, "heads": 2}, "multiple of the 2 heads, received 15"),
        ("quick", None, {"order": "odd"}, "unknown tag order"),
        ("quick", None, {"drop": 1.0}, "less than 1"),
    ],
)
def test_invalid_choices_raise(preset, backbone, changes, message):
    with pytest.raises(InputError, match=message):
        dual_encoder_recipe(preset, backbone, **changes)
