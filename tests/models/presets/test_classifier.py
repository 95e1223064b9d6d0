import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from competition.utils.errors import InputError
from models.backbones import MEMBERS, STEM
from models.presets.classifier import PRESETS, recipe
from models.recipe import Recipe


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("member", MEMBERS)
def test_every_preset_has_a_recipe_for_every_member(preset, member):
    made = recipe(preset, member)
    assert isinstance(made, Recipe)
    assert made.front_end == "stem" or member != STEM


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_says_what_to_expect(preset):
    assert PRESETS[preset].__doc__


def test_what_the_user_changed_is_changed_and_nothing_else():
    was, now = asdict(recipe("full", "resnet50")), asdict(recipe("full", "resnet50", epochs=3, batch=None))
    assert {name for name in was if was[name] != now[name]} == {"epochs"}


def test_a_smaller_patch_is_smaller_everywhere():
    made = recipe("quick", "mobilenet", patch=40)
    assert made.stem is not None
    assert {made.patch, made.test_patch, made.stem.patch, made.stem.test_patch} == {40}


@pytest.mark.parametrize(
    "changes", [{"front_end": "none"}, {"front_end": "residual"}, {"front_end": "none", "weights": "imagenet"}]
)
def test_without_a_stem_none_is_trained(changes):
    assert recipe("quick", "mobilenet", **changes).stem is None


@pytest.mark.parametrize(
    ("preset", "member", "changes", "told"),
    [
        ("fulll", "mobilenet", {}, "unknown preset 'fulll'; known: full, paper, quick, smoke"),
        ("quick", "vgg16", {}, "unknown member 'vgg16'; known: resnet50, "),
        ("quick", "mobilenet", {"front_end": "fourier"}, "unknown front end 'fourier'; known: none, residual, stem"),
        ("quick", "mobilenet", {"patch": 31}, "mobilenet needs patches of at least 32 pixels, received 31"),
        ("quick", "inceptionresnetv2", {"patch": 74}, "at least 75"),
        ("quick", "stem", {"patch": 7}, "at least 8"),
        ("quick", "stem", {"front_end": "none"}, "the member stem is a front end alone"),
        ("quick", "mobilenet", {"weights": "imagenet"}, "--front-end none or residual, or --weights none"),
        ("quick", "mobilenet", {"weights": "absent.keras"}, "the weights absent.keras do not exist"),
    ],
)
def test_what_cannot_be_built_is_refused(preset, member, changes, told):
    with pytest.raises(InputError, match=told):
        recipe(preset, member, **changes)


def test_presets_load_no_framework():
    code = "import sys, models.presets.classifier; sys.exit(bool({'keras', 'tensorflow', 'numpy', 'pandas'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=True)
