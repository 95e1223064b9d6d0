from dataclasses import replace

import pandas as pd
import pytest

from augment.patches import PatchConfig
from competition.utils.errors import InputError
from models.presets import classifier_recipe
from submissions.patch_sizes import check_photo_sizes, check_source_sizes, fit_recipes, shrink_patches, usable_side


def test_patches_that_fit_stay():
    recipe = classifier_recipe("quick", "mobilenet")
    assert shrink_patches(recipe, 512) == recipe


def test_larger_patches_become_the_largest_multiple_of_32_that_fits():
    recipe = shrink_patches(classifier_recipe("quick", "mobilenet"), 460)
    assert (recipe.patches.size, recipe.test_patch) == (448, 448)
    assert recipe.front_end_recipe is not None
    assert (recipe.front_end_recipe.patches.size, recipe.front_end_recipe.test_patch) == (256, 448)


def test_images_that_are_too_small_for_a_member_are_refused():
    recipes = {member: classifier_recipe("smoke", member) for member in ("mobilenet", "inceptionresnetv2")}
    message = "images have a side of 64 pixels, but inceptionresnetv2 needs patches of at least 75 pixels, received 64"
    with pytest.raises(InputError, match=message):
        fit_recipes(recipes, 64)
    assert fit_recipes({"mobilenet": recipes["mobilenet"]}, 64)["mobilenet"].test_patch <= 64


def test_tiny_images_and_squashed_photos_change_nothing():
    recipe = classifier_recipe("quick", "mobilenet")
    assert shrink_patches(recipe, 63) == recipe
    squashed = classifier_recipe("quick", "statnet", "settings", input="squash")
    assert shrink_patches(squashed, 100) == squashed


def sizes(*rows):
    return pd.DataFrame(rows, columns=["split", "width", "height"])


def test_every_test_image_must_be_usable():
    assert usable_side(sizes(("train", 800, 900), ("train", 900, 800), ("test", 512, 512), ("test", 448, 600))) == 448


def test_half_of_the_photos_must_be_usable():
    assert usable_side(sizes(("train", 60, 90), ("train", 480, 640), ("train", 480, 700))) == 480


def test_a_photo_smaller_than_a_patch_is_an_error_that_names_it():
    table = pd.DataFrame({"path": ["a.jpg", "b.jpg"], "width": [100, 60], "height": [90, 200]})
    check_photo_sizes(table, 60)
    with pytest.raises(InputError, match=r"1 photo\(s\) are smaller than a patch of 64 pixels, the first is b.jpg"):
        check_photo_sizes(table, 64)


def test_photos_for_pipelines_must_be_larger_than_the_sources_of_patches():
    splits = ["train", "train", "test"]
    table = pd.DataFrame({"path": ["a", "b", "c"], "width": 140, "height": [140, 120, 64], "split": splits})
    plain = PatchConfig(64, 4)
    check_source_sizes(table, [plain])
    with pytest.raises(InputError, match=r"1 photo\(s\) are smaller than 136 pixels, the first is b; --augment cuts"):
        check_source_sizes(table, [plain, replace(plain, augment="{}")])
    check_source_sizes(table[table["path"] != "b"], [replace(plain, augment="{}")])
