"""The presets by task and name.

To add one, add a row to `PRESETS`; the command line, runs and experiments find it there.
Sizes of virtual data are names of `competition.virtual.make_competition.SIZES`. Settings need photos by several devices
of each camera, and no test set.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from competition.utils.errors import unknown_name
from models.exif_language.recipe import DualEncoderRecipe, check_dual_encoder_recipe, check_encoder
from models.front_ends import FRONT_ENDS
from models.members import (
    EXIF_LANGUAGE,
    SETTINGSNET,
    check_member,
    check_recipe,
    front_end_member,
    initial_weights,
    smallest_patch,
)
from models.presets import classifier, exif_language
from models.recipe import Recipe, change


@dataclass(frozen=True)
class Preset:
    """One preset of one task.

    Attributes:
        recipe: a function from a member to its recipe, or the recipe of the task `exif-language`.
        virtual_size: size of the virtual competition that is simulated if the user has no photos.
        label_balance: how training compensates for an uneven distribution of settings, see `submissions.tasks`.
        experiment_member: the member of experiments that do not name one.
    """

    recipe: Callable[[str], Recipe] | DualEncoderRecipe
    virtual_size: str
    label_balance: str = "bins"
    experiment_member: str = SETTINGSNET


PRESETS = {
    ("camera", "full"): Preset(classifier.full, "full"),
    ("camera", "paper"): Preset(classifier.paper, "settings", "cells"),
    ("camera", "quick"): Preset(classifier.quick, "small"),
    ("camera", "smoke"): Preset(classifier.smoke, "smoke"),
    ("settings", "full"): Preset(classifier.full, "full"),
    ("settings", "paper"): Preset(classifier.paper, "settings", "cells", "se_resnet18"),
    ("settings", "quick"): Preset(classifier.quick_settings, "settings-large"),
    ("settings", "smoke"): Preset(classifier.smoke_settings, "settings-smoke"),
    ("camera,settings", "full"): Preset(classifier.full, "full"),
    ("camera,settings", "paper"): Preset(classifier.paper, "settings", "cells"),
    ("camera,settings", "quick"): Preset(classifier.quick, "settings"),
    ("camera,settings", "smoke"): Preset(classifier.smoke, "settings-smoke"),
    (EXIF_LANGUAGE, "paper"): Preset(exif_language.PAPER, "settings"),
    (EXIF_LANGUAGE, "quick"): Preset(exif_language.QUICK, "settings-large"),
    (EXIF_LANGUAGE, "smoke"): Preset(exif_language.SMOKE, "settings-smoke"),
}
# Changes that also apply to the training of the front end alone.
SHARED_WITH_FRONT_END = ("patch", "batch", "input", "tau", "augment", "average_epochs", "label_smoothing", "accumulate")


def preset_names(task: str) -> tuple[str, ...]:
    """Return the names of the presets of a task. Raises `InputError` for an unknown task."""
    names = tuple(name for known, name in PRESETS if known == task)
    if not names:
        raise unknown_name("task", task, dict.fromkeys(known for known, _ in PRESETS))
    return names


def find_preset(task: str, name: str) -> Preset:
    """Return a preset. Raises `InputError`, listing the known ones, for an unknown task or name."""
    names = preset_names(task)
    if name not in names:
        raise unknown_name("preset", name, names)
    return PRESETS[task, name]


def classifier_recipe(preset: str, member: str, task: str = "camera", **changes: Any) -> Recipe:
    """Return the recipe of a preset for a member and a task, with changes.

    Args:
        preset: name of the preset.
        member: one of `models.members.MEMBERS`.
        task: what to predict.
        changes: see `models.recipe.change`; None changes nothing. Those named in `SHARED_WITH_FRONT_END` also
            apply to the training of the front end alone. With a front end of another member than the preset's, or
            with weights from a file, the front end is not trained alone.

    Raises:
        InputError: an unknown name, or values that do not fit, see `models.members.check_recipe`.
    """
    make = find_preset(task, preset).recipe
    if isinstance(make, DualEncoderRecipe):
        raise unknown_name("task of a classifier", task, dict.fromkeys(known for known, _ in PRESETS if known != task))
    check_member(member)
    return change_recipe(make(member), member, **changes)


def change_recipe(recipe: Recipe, member: str, **changes: Any) -> Recipe:
    """Return the recipe of a member with changes, as `classifier_recipe` makes them."""
    given = {name: value for name, value in changes.items() if value is not None}
    recipe = change(recipe, **given)
    alone = recipe.front_end_recipe
    if alone is not None:
        shared = {name: given[name] for name in SHARED_WITH_FRONT_END if name in given}
        front_end = FRONT_ENDS.get(recipe.front_end)
        fits = front_end is not None and front_end.member == front_end_member(alone)
        keep = fits and recipe.weights in ("imagenet", "none")
        recipe = replace(recipe, front_end_recipe=change(alone, **shared) if keep else None)
    check_recipe(member, recipe)
    return recipe


def dual_encoder_recipe(preset: str, member: str | None = None, **changes: Any) -> DualEncoderRecipe:
    """Return the recipe of an exif-language preset, with another encoder of patches and other values.

    Args:
        preset: name of the preset.
        member: one of `models.exif_language.recipe.ENCODERS`; None for the preset's. It starts from ImageNet weights if
            the preset does and it has them. If training patches are too small for it, they become test patches.
        changes: see `models.recipe.change`; None changes nothing.

    Raises:
        InputError: an unknown name, or values that do not fit.
    """
    recipe = find_preset(EXIF_LANGUAGE, preset).recipe
    assert isinstance(recipe, DualEncoderRecipe)
    recipe = change(recipe, **{name: value for name, value in changes.items() if value is not None})
    if member is not None:
        check_encoder(member)
        weights = recipe.weights if initial_weights(member) == "imagenet" else "none"
        recipe = replace(recipe, member=member, weights=weights)
    if recipe.halves and recipe.patches.size // 2 < smallest_patch(recipe.member):
        recipe = replace(recipe, halves=False, scan_patch=recipe.test_patch)
    if recipe.patches.size < smallest_patch(recipe.member):
        recipe = change(recipe, size=recipe.test_patch)
    check_dual_encoder_recipe(recipe)
    return recipe
