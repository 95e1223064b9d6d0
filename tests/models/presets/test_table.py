import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from competition.utils.errors import InputError
from competition.virtual.make_competition import SIZES
from models.exif_language.recipe import DualEncoderRecipe
from models.members import FRONT_END_MEMBERS, MEMBERS, check_recipe, front_end_member
from models.presets import EXIF_LANGUAGE, PRESETS, classifier_recipe, find_preset, preset_names
from models.presets.table import Preset
from models.recipe import change, recipe_from_json
from submissions.tasks import LABEL_BALANCES, TASKS

CLASSIFIERS = [key for key in PRESETS if key[0] != EXIF_LANGUAGE]


def stages(recipe):
    """The recipe, and that of its front end alone."""
    assert recipe.front_end_recipe is not None
    return recipe, recipe.front_end_recipe


def test_every_task_has_presets():
    assert {task for task, _ in PRESETS} == {*TASKS, EXIF_LANGUAGE}
    assert preset_names("camera") == ("full", "paper", "quick", "smoke")


@pytest.mark.parametrize(("task", "name"), PRESETS)
def test_every_row_refers_to_known_names(task, name):
    preset = PRESETS[task, name]
    assert preset.virtual_size in SIZES
    assert preset.label_balance in LABEL_BALANCES
    assert preset.experiment_member in MEMBERS
    assert isinstance(preset.recipe, DualEncoderRecipe) or preset.recipe.__doc__


@pytest.mark.parametrize(("task", "name"), CLASSIFIERS)
@pytest.mark.parametrize("member", MEMBERS)
def test_every_preset_has_a_valid_recipe_for_every_member(task, name, member):
    recipe = classifier_recipe(name, member, task)
    assert recipe.front_end == FRONT_END_MEMBERS.get(member, recipe.front_end)
    assert recipe_from_json(asdict(recipe)) == recipe


def test_new_row_is_enough_for_a_new_preset(monkeypatch):
    monkeypatch.setitem(PRESETS, ("camera", "tiny"), Preset(PRESETS["camera", "smoke"].recipe, "smoke"))
    assert preset_names("camera")[-1] == "tiny"
    assert classifier_recipe("tiny", "mobilenet") == classifier_recipe("smoke", "mobilenet")


def test_changes_apply_to_their_fields_alone():
    before = classifier_recipe("paper", "resnet50")
    after = classifier_recipe("paper", "resnet50", epochs=3, batch=8, weights=None)
    assert after == replace(before, epochs=3, patches=replace(before.patches, batch_size=8))


def test_pipeline_applies_to_the_front_end_alone_and_survives_json():
    recipe = classifier_recipe("quick", "mobilenet", augment='{"transform": {}}')
    assert {stage.patches.augment for stage in stages(recipe)} == {'{"transform": {}}'}
    assert recipe_from_json(asdict(recipe)) == recipe


def test_changed_patch_applies_to_training_and_test_and_to_the_front_end_alone():
    recipe = classifier_recipe("quick", "mobilenet", patch=40)
    assert {size for stage in stages(recipe) for size in (stage.patches.size, stage.test_patch)} == {40}


def test_label_smoothing_also_applies_to_the_front_end_alone():
    assert [
        stage.label_smoothing for stage in stages(classifier_recipe("quick", "mobilenet", label_smoothing=0.1))
    ] == [
        0.1,
        0.1,
    ]


def test_squashed_photos_are_tested_at_the_size_of_training():
    recipe = classifier_recipe("quick", "mobilenet", input="squash")
    for stage in stages(recipe):
        assert stage.patches.input == "squash" and stage.test_patch == stage.patches.size


@pytest.mark.parametrize("changes", [{"front_end": "dct_pixels"}, {"front_end": "dct_pixels", "weights": "imagenet"}])
def test_front_end_of_the_same_member_is_trained_alone(changes):
    assert classifier_recipe("quick", "mobilenet", **changes).front_end_recipe == classifier_recipe("quick", "dctnet")


@pytest.mark.parametrize("changes", [{"front_end": "none"}, {"front_end": "high_pass", "weights": "imagenet"}])
def test_another_front_end_is_not_trained_alone(changes):
    assert classifier_recipe("quick", "mobilenet").front_end_recipe is not None
    assert classifier_recipe("quick", "mobilenet", **changes).front_end_recipe is None


def test_front_end_is_not_trained_alone_with_initial_weights(tmp_path):
    (tmp_path / "a.weights.h5").touch()
    assert classifier_recipe("quick", "mobilenet", weights=str(tmp_path / "a.weights.h5")).front_end_recipe is None


@pytest.mark.parametrize(
    ("preset", "member", "changes", "message"),
    [
        ("fulll", "mobilenet", {}, "unknown preset 'fulll'; known: full, paper, quick, smoke"),
        ("quick", "vgg16", {}, "unknown member 'vgg16'; known: resnet50, "),
        ("quick", "mobilenet", {"task": "lens"}, "unknown task 'lens'; known: camera, settings, "),
        (
            "quick",
            "mobilenet",
            {"task": "exif-language"},
            "unknown task of a classifier 'exif-language'",
        ),
        ("quick", "mobilenet", {"front_end": "fourier"}, "unknown front end 'fourier'; known: none, "),
        ("quick", "mobilenet", {"input": "mosaic"}, "unknown input 'mosaic'; known: patch, squash, tiles"),
        (
            "quick",
            "mobilenet",
            {"input": "squash", "augment": "{}"},
            "--augment needs the input patch, received --input",
        ),
        ("quick", "mobilenet", {"input": "tiles"}, "--input tiles is for dctnet and settingsnet, received mobilenet"),
        ("quick", "dctnet", {"input": "tiles", "patch": 72}, "--input tiles needs a --patch that is a multiple of 32"),
        ("quick", "mobilenet", {"patch": 31}, "mobilenet needs patches of at least 32 pixels, received 31"),
        ("quick", "inceptionresnetv2", {"patch": 74}, "at least 75"),
        ("quick", "convnet", {"patch": 7}, "at least 8"),
        (
            "quick",
            "dctnet",
            {"patch": 100},
            "the front end dct needs patches with a side that is a multiple of 8 pixels, ",
        ),
        ("quick", "mobilenet", {"patch": 100}, "received 100; use 96"),
        ("quick", "convnet", {"front_end": "none"}, "convnet is the front end conv_stem without a backbone"),
        ("quick", "statnet", {"front_end": "conv_stem"}, "statnet is the front end statistics without a backbone"),
        (
            "quick",
            "mobilenet",
            {"weights": "imagenet"},
            "--front-end none or dct_pixels or high_pass, or --weights none",
        ),
        ("quick", "mobilenet", {"weights": "absent.keras"}, "the weights absent.keras do not exist"),
        (
            "quick",
            "dctnet",
            {"label_smoothing": 1.0},
            "received a label smoothing of 1.0, expected a number from 0, below",
        ),
        ("quick", "mobilenet", {"mixup": 0.2}, "mixup mixes features that are computed once, which mobilenet does not"),
    ],
)
def test_invalid_choices_raise(preset, member, changes, message):
    with pytest.raises(InputError, match=message):
        classifier_recipe(preset, member, **changes)


def test_front_end_recipe_is_checked_too():
    recipe, alone = stages(classifier_recipe("quick", "mobilenet"))
    with pytest.raises(InputError, match=f"{front_end_member(recipe)} needs patches of at least 8 pixels, received 4"):
        check_recipe("mobilenet", replace(recipe, front_end_recipe=change(alone, patch=4)))


def test_unknown_preset_lists_those_of_the_task():
    with pytest.raises(InputError, match="unknown preset 'full'; known: paper, quick, smoke"):
        find_preset(EXIF_LANGUAGE, "full")


def test_presets_load_no_framework():
    code = "import sys, models.presets; sys.exit(bool({'keras', 'tensorflow', 'pandas'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=True)
