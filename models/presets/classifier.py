"""Presets: recipes for a purpose. This module imports no framework, so that the command line can list them at once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from competition.utils.errors import unknown_name
from models.backbones import STEM, backbone
from models.recipe import Recipe, check


def full(member: str) -> Recipe:
    """The blog's recipe, for a GPU and thousands of photographs.

    512×512 patches, ImageNet weights, Adam 1e-4, the rate halved after 5 epochs without a better validation loss, the
    best weights kept. Its author reached the top 3 % with 25,000 photographs; published single networks of this kind
    score 0.97–0.98 there. Not trained here: it wants a GPU for days.

        ./run.sh train ensemble --preset full --data DIR
    """
    return Recipe(
        patch=512,
        test_patch=512,
        front_end="stem" if member == STEM else "none",
        weights=_first_weights(member),
        epochs=100,
        patches_per_photo=1,
        batch=16,
        learning_rate=1e-4,
        schedule="plateau",
        patience=15,  # three halvings without any gain
        momentum=0.99,
        dropout=0.3,
        precision="mixed_float16",
        dihedral=True,
    )


def paper(member: str) -> Recipe:
    """Laurence & Murphy's recipe for camera settings (2018, section 2.7), for a GPU and thousands of photographs.

    Whole photographs squashed to 400×400, 10 pixels of zeros around them, turned by up to 120°; SGD with Nesterov
    momentum, L2 penalty 1e-3, the rate times 0.1 after 3 worse epochs, τ = 5. The paper does not say the first rate:
    0.01 here. Their SE-ResNet-18 told 42 % of apertures, 50 % of ISOs and 63 % of exposure times on 5,000 photographs,
    in three bins. Not trained here.

        ./run.sh train se_resnet18 --task settings --preset paper --data DIR
    """
    return Recipe(
        patch=420,
        test_patch=420,
        front_end="stem" if member == STEM else "none",
        weights=_first_weights(member),
        epochs=100,
        patches_per_photo=1,
        batch=32,
        learning_rate=1e-2,
        schedule="plateau",
        patience=12,
        momentum=0.9,
        dropout=0.0,
        precision="float32",
        dihedral=False,
        input="squash",
        manipulated=0.0,
        padding=10,
        rotation=120.0,
        tail="paper",
        optimizer="sgd",
        weight_decay=1e-3,
        plateau_epochs=3,
        plateau_factor=0.1,
        tau=5,
        normalize="weights" if _first_weights(member) == "imagenet" else "training",
    )


def _first_weights(member: str) -> str:
    return "imagenet" if member != STEM and backbone(member).pretrained else "none"


def quick(member: str) -> Recipe:
    """From scratch on two CPU cores; the default where there is no GPU.

    On the virtual competition's private solution (simulated photographs) members score about 0.87 and their blend 0.88,
    in about half an hour on two busy cores.

        ./run.sh train ensemble
    """
    stem = Recipe(
        patch=64,
        test_patch=128,
        front_end="stem",
        weights="none",
        epochs=5,
        patches_per_photo=8,
        batch=32,
        learning_rate=4e-3,
        schedule="cycle",
        patience=5,
        momentum=0.9,
        dropout=0.2,
        precision="float32",
        dihedral=False,
    )
    if member == STEM:
        return stem
    # A backbone halves its image so often that most of its last map is border: it is asked about the size it learnt.
    joined = replace(stem, patch=128, epochs=2, patches_per_photo=2, learning_rate=1e-3, stem=stem)
    if backbone(member).smallest > stem.patch:  # InceptionResNetV2 takes no less than 75 pixels, and its steps are slow
        return replace(joined, patch=80, test_patch=80, epochs=1)
    return joined


def smoke(member: str) -> Recipe:
    """Seconds: shows that everything fits together, not that anything is learnt. For tests."""
    recipe = replace(quick(member), epochs=1, patches_per_photo=1, batch=8)
    side = 64 if member == STEM else max(32, backbone(member).smallest)
    recipe = replace(recipe, patch=side, test_patch=side)
    return recipe if recipe.stem is None else replace(recipe, stem=smoke(STEM))


def _quick_settings(member: str) -> Recipe:
    """`quick` for settings alone: they show in the statistics of large patches, which a small network learns in
    minutes; the backbone then looks at the maps of these statistics."""
    statistics = replace(
        quick(STEM),
        patch=384,
        test_patch=448,
        front_end="statistics",
        epochs=10,
        patches_per_photo=1,
        batch=16,
        learning_rate=3e-3,
        dropout=0.2,
        manipulated=0.0,
    )
    if member == STEM:
        return statistics
    return replace(statistics, epochs=2, learning_rate=1e-3, stem=statistics)


def _smoke_settings(member: str) -> Recipe:
    recipe = replace(_quick_settings(member), patch=64, test_patch=64, epochs=1, batch=8)
    return recipe if recipe.stem is None else replace(recipe, stem=_smoke_settings(STEM))


PRESETS: dict[str, Callable[[str], Recipe]] = {"full": full, "paper": paper, "quick": quick, "smoke": smoke}
OF_SETTINGS = {"quick": _quick_settings, "smoke": _smoke_settings}  # the rest is the same for every task
SHARED_WITH_STEM = ("patch", "test_patch", "batch", "input", "tau")


def recipe(preset: str, member: str, task: str = "camera", **changes: Any) -> Recipe:
    """The recipe of a preset for a member and a task, with what the user changed (a `None` changes nothing).

    A changed patch is that of training, of evaluation and of the stem's own training. A stem trains by itself only
    where nothing else (another front end, given weights) decides how the network begins.

    Raises:
        InputError: unknown names, and choices that do not go together.
    """
    if preset not in PRESETS:
        raise unknown_name("preset", preset, PRESETS)
    given = {name: value for name, value in changes.items() if value is not None}
    if "patch" in given:
        given["test_patch"] = given["patch"]
    made = replace((OF_SETTINGS if task == "settings" else PRESETS).get(preset, PRESETS[preset])(member), **given)
    if made.input == "squash":  # of which only the training's scale is known
        given["test_patch"] = made.patch
        made = replace(made, test_patch=made.patch)
    if made.stem is not None and (made.front_end != made.stem.front_end or made.weights != "none"):
        made = replace(made, stem=None)
    if made.stem is not None:
        sizes = {name: given[name] for name in SHARED_WITH_STEM if name in given}
        made = replace(made, stem=replace(made.stem, **sizes))
    check(member, made)
    return made
