import pytest

from models.members import ENSEMBLE, front_end_member
from models.presets import classifier_recipe
from submissions.tasks import TASKS


def test_paper_squashes_photos_and_normalizes_by_the_training_data_without_imagenet_weights():
    recipe = classifier_recipe("paper", "se_resnet18", "settings")
    assert (recipe.patches.input, recipe.patches.size, recipe.patches.padding) == ("squash", 420, 10)
    assert (recipe.weights, recipe.normalize, recipe.tau) == ("none", "training", 5)
    assert classifier_recipe("paper", "resnet50", "settings").normalize == "weights"


def test_quick_trains_the_front_end_alone_first():
    for task in ("camera", "settings"):
        recipe = classifier_recipe("quick", "mobilenet", task)
        assert recipe.front_end_recipe == classifier_recipe("quick", front_end_member(recipe), task)


def test_quick_cuts_more_patches_of_each_photo_if_there_are_few_photos():
    recipe = classifier_recipe("quick", "dctnet")
    many, few = (recipe.patches_for(photos).patches_per_photo for photos in (1000, 60))
    assert many == recipe.patches.patches_per_photo
    assert few * 60 >= recipe.fewest_patches > few * 60 - 60
    joined = classifier_recipe("quick", "resnet50")
    assert joined.patches_for(60) == joined.patches


@pytest.mark.parametrize("task", TASKS)
def test_full_trains_the_front_end_alone_on_few_patches_of_each_photo_first(task):
    recipe = classifier_recipe("full", "resnet50", task)
    assert recipe.front_end_recipe == classifier_recipe("full", front_end_member(recipe), task)
    quick = classifier_recipe("quick", "dctnet").patches
    assert recipe.front_end_recipe.patches.patches_per_photo < quick.patches_per_photo


def test_full_averages_weights_and_balances_cameras_at_512_pixels_in_half_precision():
    for member in ENSEMBLE:
        recipe = classifier_recipe("full", member)
        assert (recipe.patches.size, recipe.test_patch, recipe.precision) == (512, 512, "mixed_float16")
        assert recipe.balance_cameras and recipe.average_epochs > 0 and recipe.schedule == "cycle"


def test_settings_alone_are_learned_from_unaltered_photos():
    for member in ("mobilenet", "settingsnet", "statnet", "convnet"):
        assert classifier_recipe("quick", member, "settings").patches.manipulated_share == 0
        assert classifier_recipe("quick", member, "camera").patches.manipulated_share > 0


def test_smoke_trains_one_short_epoch():
    recipe = classifier_recipe("smoke", "inceptionresnetv2", "settings")
    alone = recipe.front_end_recipe
    assert alone is not None
    for stage in (recipe, alone):
        assert (stage.epochs, stage.patches.batch_size, stage.patches.patches_per_photo) == (1, 8, 1)
    assert (recipe.patches.size, alone.patches.size) == (80, 64)  # whole blocks of the DCT
