"""Sizes of patches that fit the images of a data folder."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from augment.patches import PatchConfig
from competition.utils.errors import InputError
from models.members import check_recipe
from models.recipe import Recipe

STEP = 32  # pixels: sides of smaller patches are multiples of it
SMALLEST = 64  # pixels: with less, there is too little evidence in a patch


def usable_side(table: pd.DataFrame) -> int:
    """Return the side of the largest square that fits into every test image and into half of the photos, pixels.

    A few small photos do not make all patches smaller: they can be removed, but test images must be predicted.
    """
    sides = table[["width", "height"]].min(axis=1)
    test = table["split"] == "test"
    return int(min(sides[test].min() if test.any() else sides.max(), sides[~test].median()))


def fit_recipes(recipes: Mapping[str, Recipe], side: int) -> dict[str, Recipe]:
    """Return the recipes of members, shrunk to images of `side` pixels, see `shrink_patches`.

    Raises:
        InputError: the images are too small for a member.
    """
    fitted = {member: shrink_patches(recipe, side) for member, recipe in recipes.items()}
    for member, recipe in fitted.items():
        try:
            check_recipe(member, recipe)
        except InputError as error:
            raise InputError(f"the images have a side of {side} pixels, but {error}; use other --members") from None
    return fitted


def shrink_patches(recipe: Recipe, side: int) -> Recipe:
    """Return a recipe whose patches fit into images of `side` pixels, if that is possible.

    Larger patches become the largest multiple of 32 pixels that fits, if that is at least 64.
    """
    limit = side // STEP * STEP
    if recipe.patches.input != "patch" or limit < SMALLEST:
        return recipe
    alone = recipe.front_end_recipe
    return replace(
        recipe,
        patches=replace(recipe.patches, size=_fit(recipe.patches.size, side, limit)),
        test_patch=_fit(recipe.test_patch, side, limit),
        front_end_recipe=None if alone is None else shrink_patches(alone, side),
    )


def check_photo_sizes(table: pd.DataFrame, size: int) -> None:
    """Raise `InputError` if a photo of the manifest `table` is smaller than a patch of `size` pixels."""
    small = table.loc[table[["width", "height"]].min(axis=1) < size, ["path", "width", "height"]]
    if len(small):
        first = small.iloc[0]
        raise InputError(
            f"{len(small)} photo(s) are smaller than a patch of {size} pixels, the first is {first.path} "
            f"({first.width}x{first.height}); remove them, or give a smaller --patch"
        )


def check_source_sizes(table: pd.DataFrame, configs: Iterable[PatchConfig]) -> None:
    """Raise `InputError` if a training or validation photo is too small for the pipeline of `--augment`."""
    side = max((config.photo_side for config in configs if config.augment is not None), default=1)
    photos = table[table["split"] != "test"]
    small = photos.loc[photos[["width", "height"]].min(axis=1) < side, "path"]
    if len(small):
        raise InputError(
            f"{len(small)} photo(s) are smaller than {side} pixels, the first is {small.iloc[0]}; --augment cuts "
            "patches from sources of more than twice their side: remove these photos, or give a smaller --patch"
        )


def check_enough_photos(photos: int, recipes: Sequence[Recipe]) -> None:
    """Raise `InputError` if `photos` training photos do not fill a batch of every recipe."""
    configs = [recipe.patches_for(photos) for recipe in recipes]
    too_large = (c.batch_size for c in configs if c.batch_size > photos * c.patches_per_photo)
    batch = max(too_large, default=None)
    if batch is not None:
        raise InputError(
            f"{photos} training photos do not fill a batch of {batch} patches; add some, or give a smaller --batch"
        )


def _fit(size: int, side: int, limit: int) -> int:
    return size if size <= side else limit
