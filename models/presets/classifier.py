"""Recipes of classifiers, see `models.presets.table`. Each is a function from a member to its recipe."""

from collections.abc import Callable
from dataclasses import replace

from augment.patches import PatchConfig
from models.members import (
    CONVNET,
    FRONT_END_MEMBERS,
    NO_FRONT_END,
    STATNET,
    front_end_member,
    initial_weights,
    smallest_patch,
)
from models.recipe import Recipe, change


def full(member: str) -> Recipe:
    """The recipe of the competition's blog, for a GPU and thousands of photos.

    512×512 patches, ImageNet weights, Adam with a learning rate of 1e-4 that is halved after 5 epochs without a better
    validation loss; the best weights are kept. Its author reached the top 3 % with 25,000 photos, and published single
    networks of this kind score 0.97–0.98. Not measured here, because it takes a GPU for days.

        ./run.sh train ensemble --preset full --data DIR
    """
    return Recipe(
        patches=PatchConfig(size=512, batch_size=16, patches_per_photo=1, dihedral=True),
        test_patch=512,
        front_end=FRONT_END_MEMBERS.get(member, NO_FRONT_END),
        weights=initial_weights(member),
        epochs=100,
        learning_rate=1e-4,
        schedule="plateau",
        patience=15,  # three halvings without any gain
        momentum=0.99,
        dropout=0.3,
        precision="mixed_float16",
    )


def paper(member: str) -> Recipe:
    """Laurence & Murphy's recipe for camera settings (2018, section 2.7), for a GPU and thousands of photos.

    Whole photos squashed to 400×400 with a border of 10 zeros, rotated by up to 120°; SGD with Nesterov momentum, an L2
    penalty of 1e-3, the learning rate times 0.1 after 3 epochs without a better loss, τ = 5. The paper does not state
    the initial learning rate; it is 0.01 here. Their SE-ResNet-18 predicted 42 % of apertures, 50 % of ISOs and 63 % of
    exposure times correctly, with 5,000 photos and three bins. Not measured here.

        ./run.sh train se_resnet18 --task settings --preset paper --data DIR
    """
    weights = initial_weights(member)
    return Recipe(
        patches=PatchConfig(
            size=420,
            batch_size=32,
            patches_per_photo=1,
            dihedral=False,
            input="squash",
            manipulated_share=0.0,
            padding=10,
            rotation=120.0,
        ),
        test_patch=420,
        front_end=FRONT_END_MEMBERS.get(member, NO_FRONT_END),
        weights=weights,
        epochs=100,
        learning_rate=1e-2,
        schedule="plateau",
        patience=12,
        momentum=0.9,
        dropout=0.0,
        precision="float32",
        tail="paper",
        optimizer="sgd",
        weight_decay=1e-3,
        plateau_epochs=3,
        plateau_factor=0.1,
        tau=5,
        normalize="weights" if weights == "imagenet" else "training",
    )


def quick(member: str) -> Recipe:
    """From scratch on two CPU cores; the default without a GPU.

    The front end is trained alone, then the backbone joins it. On the private part of the virtual competition
    (simulated photos), members score about 0.87 and their blend 0.88, in about half an hour.

        ./run.sh train ensemble
    """
    convnet = Recipe(
        patches=PatchConfig(size=64, batch_size=32, patches_per_photo=8, dihedral=False),
        test_patch=128,
        front_end="conv_stem",
        weights="none",
        epochs=5,
        learning_rate=4e-3,
        schedule="cycle",
        patience=5,
        momentum=0.9,
        dropout=0.2,
        precision="float32",
    )
    if member == CONVNET:
        return convnet
    if member == STATNET:  # its statistics need large patches
        patches = replace(convnet.patches, size=384, batch_size=16, patches_per_photo=1)
        return replace(convnet, patches=patches, test_patch=448, front_end="statistics", epochs=10, learning_rate=3e-3)
    # Backbones downscale so often that most of their last map is border, so they are trained at the test size.
    joined = replace(convnet, epochs=2, learning_rate=1e-3, front_end_recipe=convnet)
    joined = change(joined, patch=128, patches_per_photo=2)
    if smallest_patch(member) > convnet.patches.size:  # InceptionResNetV2 needs 75 pixels, and its steps are slow
        return replace(change(joined, patch=80), epochs=1)
    return joined


def quick_settings(member: str) -> Recipe:
    """`quick` for camera settings.

    Settings show in the statistics of large patches, which a small network learns in minutes. The backbone then sees
    the maps of these statistics.

        ./run.sh train statnet --task settings
    """
    if member in FRONT_END_MEMBERS:
        return change(quick(member), manipulated_share=0.0)
    statnet = quick_settings(STATNET)
    return replace(statnet, epochs=2, learning_rate=1e-3, front_end_recipe=statnet)


def smoke(member: str) -> Recipe:
    """One short epoch on small patches: checks that everything fits together, in seconds. For tests."""
    return _shrink(quick, member, side=64 if member in FRONT_END_MEMBERS else 32)


def smoke_settings(member: str) -> Recipe:
    """`smoke` for camera settings."""
    return _shrink(quick_settings, member, side=64)


def _shrink(preset: Callable[[str], Recipe], member: str, side: int) -> Recipe:
    """The recipe of a preset with one short epoch on patches of `side` pixels, or the smallest that are possible."""
    recipe = change(preset(member), patch=max(side, smallest_patch(member)), batch=8, patches_per_photo=1, epochs=1)
    if recipe.front_end_recipe is None:
        return recipe
    return replace(recipe, front_end_recipe=_shrink(preset, front_end_member(recipe), side=64))
