"""Recipes of classifiers, see `models.presets.table`. Each is a function from a member to its recipe."""

from collections.abc import Callable
from dataclasses import replace

from augment.patches import PatchConfig
from models.members import (
    CONVNET,
    DCTNET,
    FRONT_END_MEMBERS,
    NO_FRONT_END,
    SETTINGSNET,
    STATNET,
    front_end_member,
    initial_weights,
    smallest_patch,
)
from models.recipe import Recipe, change

DCT_PIXELS = "dct_pixels"


def full(member: str) -> Recipe:
    """For a GPU and thousands of photos: ImageNet backbones read 512×512 pixels beside the DCT evidence of `quick`.

    The front end alone is trained first, as in `quick`, with fewer patches of each of the many more photos. The
    backbone then adds its logits. Not measured here, because it takes a GPU for days.

        ./run.sh train ensemble --preset full --data DIR

    Sources of the values:

    - 512×512 patches, Adam and 1e-4: the competition's blog, whose author reached the top 3 % with 25,000 photos.
    - One cycle: Iglovikov et al. (2018, slides of the second place) fine-tune ImageNet weights with Adam and a cyclic
      rate. Here it is a warm-up (Goyal et al. 2017, arXiv 1706.02677) and a cosine decay (Loshchilov & Hutter 2017,
      arXiv 1608.03983).
    - 60 epochs: three checkpoints of DenseNet201 at 512 pixels by the first place, with public scores of 0.976 to
      0.984, are of the epochs 29, 62 and 72 (quoted by yyqing.me/post/2018, 24 February 2018).
    - Averaged weights: Szegedy et al. (2016, arXiv 1512.00567) evaluate a running average. The window of three epochs
      is 1,000 steps with 5,000 photos, a momentum of 0.999; with few photos a constant momentum would lag behind.
    """
    dctnet = replace(_dctnet(patches_per_photo=8, epochs=20), balance_cameras=True)
    if member == DCTNET:
        return dctnet
    return Recipe(
        patches=PatchConfig(size=512, batch_size=16, patches_per_photo=1, dihedral=True),
        test_patch=512,
        front_end=FRONT_END_MEMBERS.get(member, DCT_PIXELS),
        weights=initial_weights(member),
        epochs=60,
        learning_rate=1e-4,
        schedule="cycle",
        patience=60,  # a cycle is not stopped before its end
        momentum=0.99,
        dropout=0.3,
        precision="mixed_float16",
        balance_cameras=True,
        average_epochs=3,
        front_end_recipe=None if member in FRONT_END_MEMBERS else dctnet,
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
    side = 416 if member in (DCTNET, SETTINGSNET) else 420  # whole blocks of the DCT
    return Recipe(
        patches=PatchConfig(
            size=side,
            batch_size=32,
            patches_per_photo=1,
            dihedral=False,
            input="squash",
            manipulated_share=0.0,
            padding=10,
            rotation=120.0,
        ),
        test_patch=side,
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

    The front end `dct` is trained alone on features that are computed once, then the backbone joins it on 512×512
    patches. docs/results.md has the scores of every step on the virtual competition (simulated photos).

        ./run.sh train ensemble
    """
    dctnet = replace(_dctnet(patches_per_photo=80, epochs=10), fewest_patches=15_000)
    if member == SETTINGSNET:
        return _settingsnet()
    if member in FRONT_END_MEMBERS:
        return dctnet if member == DCTNET else _quick_pixels(member)
    # A second epoch has not improved any backbone; a step of ResNet50 on 16 patches takes three seconds on one core.
    joined = replace(dctnet, epochs=1, learning_rate=1e-3, front_end_recipe=dctnet)
    return change(joined, size=512, batch=16, patches_per_photo=1, fewest_patches=0)


def _dctnet(patches_per_photo: int, epochs: int) -> Recipe:
    """The front end `dct` alone, trained on features that are computed once.

    New patches are worth more than more epochs, and a dropout of 0.05 more than one of 0.3 (docs/results.md).
    """
    return Recipe(
        patches=PatchConfig(
            size=256, batch_size=256, patches_per_photo=patches_per_photo, dihedral=True, manipulated_share=0.7
        ),
        test_patch=512,
        front_end="dct",
        weights="none",
        epochs=epochs,
        learning_rate=4e-3,
        schedule="cycle",
        patience=epochs,  # a cycle is not stopped before its end
        momentum=0.9,
        dropout=0.05,
        precision="float32",
    )


def _quick_pixels(member: str) -> Recipe:
    """`quick` for the front ends that read pixels: one orientation, because the color filter array has one."""
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
    patches = replace(convnet.patches, size=384, batch_size=16, patches_per_photo=1)  # statistics need large patches
    return replace(convnet, patches=patches, test_patch=448, front_end="statistics", epochs=10, learning_rate=3e-3)


def quick_settings(member: str) -> Recipe:
    """`quick` for camera settings.

    Settings show in how the DCT coefficients are distributed over the whole photo, which is seen as tiles; a patch of
    448 pixels shows two thirds of a virtual photo. More patches of the same photos did not help, twice as many photos
    did. A backbone reads the maps of `statistics` instead.

        ./run.sh train settingsnet --task settings
    """
    if member in FRONT_END_MEMBERS:
        return change(quick(member), manipulated_share=0.0)
    statnet = quick_settings(STATNET)
    return replace(statnet, epochs=2, learning_rate=1e-3, front_end_recipe=statnet)


def _settingsnet() -> Recipe:
    """The front end `distributions` alone, trained on features that are computed once."""
    return Recipe(
        patches=PatchConfig(size=544, batch_size=64, dihedral=False, input="tiles"),
        test_patch=544,  # as many tiles as a virtual photo has
        front_end="distributions",
        weights="none",
        epochs=20,
        learning_rate=2e-3,
        schedule="cycle",
        patience=20,  # a cycle is not stopped before its end
        momentum=0.9,
        dropout=0.4,
        precision="float32",
        weight_decay=0.02,
    )


def smoke(member: str) -> Recipe:
    """One short epoch on small patches: checks that everything fits together, in seconds. For tests."""
    return _shrink(quick, member, side=64 if member in FRONT_END_MEMBERS else 32)


def smoke_settings(member: str) -> Recipe:
    """`smoke` for camera settings."""
    return _shrink(quick_settings, member, side=64)


def _shrink(preset: Callable[[str], Recipe], member: str, side: int) -> Recipe:
    """The recipe of a preset with one short epoch on patches of `side` pixels, or the smallest that are possible."""
    side = -(-max(side, smallest_patch(member)) // 8) * 8  # whole blocks of the DCT
    recipe = change(preset(member), patch=side, batch=8, patches_per_photo=1, fewest_patches=0, epochs=1)
    if recipe.front_end_recipe is None:
        return recipe
    return replace(recipe, front_end_recipe=_shrink(preset, front_end_member(recipe), side=64))
