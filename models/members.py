"""The members that a user can train, and the checks of their recipes. Tested by tests/models/presets/test_table.py.

A member is a backbone, with or without a front end, or a front end alone. This module imports the standard library
only, so that the command line can list the members at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from competition.utils.errors import InputError, unknown_name
from models.backbones import BACKBONES, find_backbone
from models.front_ends import FRONT_ENDS

if TYPE_CHECKING:
    from models.recipe import Recipe

NO_FRONT_END = "none"
# The front end of each member that is a front end alone: the first one that names the member.
FRONT_END_MEMBERS: dict[str, str] = {}
for _name, _front_end in FRONT_ENDS.items():
    if _front_end.member:
        FRONT_END_MEMBERS.setdefault(_front_end.member, _name)
DCTNET, CONVNET, STATNET, SETTINGSNET = "dctnet", "convnet", "statnet", "settingsnet"
MEMBERS = (*BACKBONES, *FRONT_END_MEMBERS)
ENSEMBLE = ("resnet50", "densenet201", "inceptionresnetv2", "mobilenet")  # the members of `train ensemble`
SMALLEST_FRONT_END_PATCH = 8  # pixels
INPUTS = ("patch", "squash", "tiles")
EXIF_LANGUAGE = "exif-language"  # not a member: a joint embedding of patches and EXIF text


def check_member(member: str) -> None:
    """Raise `InputError`, listing the known members, for an unknown one."""
    if member not in MEMBERS:
        raise unknown_name("member", member, MEMBERS)


def smallest_patch(member: str) -> int:
    """Return the smallest side of a patch for a member, pixels. Raises `InputError` for an unknown member."""
    check_member(member)
    if member in BACKBONES:
        return find_backbone(member).smallest
    return max(SMALLEST_FRONT_END_PATCH, FRONT_ENDS[FRONT_END_MEMBERS[member]].multiple)


def initial_weights(member: str) -> str:
    """Return `imagenet` for a backbone that has ImageNet weights, else `none`."""
    return "imagenet" if member in BACKBONES and find_backbone(member).pretrained else "none"


def check_recipe(member: str, recipe: "Recipe") -> None:
    """Check that a network can be built and trained.

    Raises:
        InputError: an unknown name, a patch that is too small for the member, a pipeline for squashed photos, tiles
            for a backbone, a front end that does not fit the member, or weights that do not fit the front end or do not
            exist.
    """
    check_member(member)
    front_ends = (NO_FRONT_END, *FRONT_ENDS)
    if recipe.front_end not in front_ends:
        raise unknown_name("front end", recipe.front_end, front_ends)
    if recipe.patches.input not in INPUTS:
        raise unknown_name("input", recipe.patches.input, INPUTS)
    if recipe.patches.augment is not None and recipe.patches.input != "patch":
        raise InputError(f"--augment needs the input patch, received --input {recipe.patches.input}; leave one out")
    if recipe.patches.input == "tiles":
        _check_tiles(member, recipe)
    smallest, received = smallest_patch(member), min(recipe.patches.size, recipe.test_patch)
    if received < smallest:
        raise InputError(f"{member} needs patches of at least {smallest} pixels, received {received}")
    multiple = FRONT_ENDS[recipe.front_end].multiple if recipe.front_end in FRONT_ENDS else 1
    uneven = [side for side in (recipe.patches.size, recipe.test_patch) if side % multiple]
    if uneven:
        raise InputError(
            f"the front end {recipe.front_end} needs patches with a side that is a multiple of {multiple} pixels, "
            f"received {uneven[0]}; use {uneven[0] // multiple * multiple}"
        )
    own = FRONT_END_MEMBERS.get(member, recipe.front_end)
    if own != recipe.front_end:
        raise InputError(
            f"the member {member} is the front end {own} without a backbone, received --front-end {recipe.front_end}; "
            "leave it out"
        )
    rgb = [name for name in front_ends if name == NO_FRONT_END or FRONT_ENDS[name].rgb]
    if recipe.weights == "imagenet" and recipe.front_end not in rgb:
        raise InputError(
            f"ImageNet weights expect three channels: use --front-end {' or '.join(rgb)}, or --weights none"
        )
    if recipe.weights not in ("imagenet", "none") and not Path(recipe.weights).is_file():
        raise InputError(f"the weights {recipe.weights} do not exist; expected imagenet, none or a file")
    if not 0 <= recipe.label_smoothing < 1:
        raise InputError(f"received a label smoothing of {recipe.label_smoothing}, expected a number from 0, below 1")
    if recipe.mixup and not (member in FRONT_END_MEMBERS and FRONT_ENDS[recipe.front_end].fixed):
        raise InputError(
            f"mixup mixes features that are computed once, which {member} does not have; train {DCTNET}, or leave it "
            "out"
        )
    if recipe.front_end_recipe is not None:
        check_recipe(front_end_member(recipe), recipe.front_end_recipe)


def _check_tiles(member: str, recipe: "Recipe") -> None:
    from augment.tiles import TILE  # here, because the names of members are known without NumPy

    readers = [name for name, front_end in FRONT_END_MEMBERS.items() if FRONT_ENDS[front_end].fixed]
    if member not in readers:  # a network of convolutions takes the borders of tiles for evidence
        raise InputError(f"--input tiles is for {' and '.join(readers)}, received {member}; use --input patch")
    if recipe.patches.size % TILE or recipe.test_patch % TILE:
        raise InputError(f"--input tiles needs a --patch that is a multiple of {TILE}, received {recipe.patches.size}")


def front_end_member(recipe: "Recipe") -> str:
    """Return the member that is the front end of a recipe alone. Raises `InputError` if there is none."""
    member = FRONT_ENDS[recipe.front_end].member if recipe.front_end in FRONT_ENDS else None
    if member is None:
        raise InputError(f"the front end {recipe.front_end} cannot be trained alone")
    return member
