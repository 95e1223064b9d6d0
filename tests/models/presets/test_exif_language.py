"""Recipes of the joint embedding: what a preset says, what is changed, what is refused."""

import pytest

from competition.utils.errors import InputError
from models.presets.exif_language import PRESETS, contrast_recipe


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_be_and_none_changes_nothing(preset):
    assert contrast_recipe(preset, None, epochs=None, batch=None) == PRESETS[preset]
    made = contrast_recipe(preset, epochs=3)
    assert made.epochs == 3 and (made.patch - made.training_patch) % 16 == 0  # one place in the JPEG blocks


def test_the_preset_of_the_paper_is_what_it_says():
    paper = PRESETS["paper"]
    assert (paper.patch, paper.learning_rate, paper.scale, paper.learned) == (124, 1e-4, 100, False)
    assert paper.batch > paper.micro_batch


def test_another_backbone_begins_with_the_weights_that_there_are():
    assert contrast_recipe("paper", "densenet201").weights == "imagenet"
    assert contrast_recipe("paper", "resnet18").weights == "none"
    assert contrast_recipe("paper", "stem").weights == "none"
    assert contrast_recipe("quick", "resnet50").weights == "none"


@pytest.mark.parametrize(
    "preset, backbone, changes, message",
    [
        ("full", None, {}, "unknown preset 'full'; known: paper, quick, smoke"),
        ("quick", "resnet51", {}, "unknown backbone 'resnet51'"),
        ("quick", "inceptionresnetv2", {"patch": 64}, "at least 75 pixels, received 64"),
        ("quick", None, {"batch": 1}, "at least 2"),
        ("quick", None, {"inner": 15, "heads": 2}, "no 2 equal heads"),
        ("quick", None, {"order": "odd"}, "unknown tag order"),
        ("quick", None, {"drop": 1.0}, "less than 1"),
    ],
)
def test_what_cannot_be_is_refused(preset, backbone, changes, message):
    with pytest.raises(InputError, match=message):
        contrast_recipe(preset, backbone, **changes)
