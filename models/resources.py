"""What trainings need of the disk and of the memory, estimated from below before they begin."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from competition.utils.free_space import check_disk, check_memory
from models.backbones import BACKBONES
from models.front_ends import FRONT_ENDS
from models.members import FRONT_END_MEMBERS, front_end_member
from models.recipe import Recipe

BYTES_PER_PARAMETER = 12  # float32, and as much for each of the two moments of Adam
UNFINISHED = 2  # epochs of a network that are kept besides the one that is being written
BYTES_PER_FEATURE = 2  # float16
BYTES_PER_PROBABILITY = 4  # float32


def check_resources(
    folder: Path, recipes: Mapping[str, Recipe], manifest: pd.DataFrame, photos: int | None, trainings: int
) -> None:
    """Raise `InputError` if the disk of a new run's folder or the memory is certainly too small for its trainings.

    Args:
        folder: of the run.
        recipes: of its members by name.
        manifest: of its photos and test images.
        photos: maximum number of training photos; None for all.
        trainings: of each member.
    """
    training = manifest[manifest["split"] != "test"].head(photos)
    pixels = int((training["width"] * training["height"]).sum())
    classes = training["camera"].nunique()
    work = f"training on {len(training)} photos"
    check_disk(folder, disk_bytes(recipes, trainings, len(training), len(manifest), classes), work)
    check_memory(memory_bytes(recipes, pixels), work)


def disk_bytes(recipes: Mapping[str, Recipe], trainings: int, photos: int, images: int, classes: int) -> int:
    """Return the bytes that networks, features and predictions take on the disk while a run is trained.

    Args:
        recipes: of its members by name.
        trainings: of each member.
        photos: that are trained on.
        images: that are predicted.
        classes: of each prediction.
    """
    networks = [BYTES_PER_PARAMETER * _parameters(member) for member in recipes]
    predictions = sum(BYTES_PER_PROBABILITY * recipe.views * images * classes for recipe in recipes.values())
    return trainings * sum(networks) + UNFINISHED * max(networks) + _feature_bytes(recipes, photos) + predictions


def memory_bytes(recipes: Mapping[str, Recipe], pixels: int) -> int:
    """Return the bytes that decoded photos take in the memory of one training.

    Args:
        recipes: of the members by name.
        pixels: of all photos together.
    """
    return max(min(recipe.patches.cache_bytes, 3 * pixels) for _, recipe in _stages(recipes))


def _feature_bytes(recipes: Mapping[str, Recipe], photos: int) -> int:
    """The features of the largest training that computes them once, see `models.training.features`."""
    alone = [recipe for member, recipe in _stages(recipes) if member in FRONT_END_MEMBERS]
    widths = [
        FRONT_ENDS[recipe.front_end].fixed_width * recipe.patches_for(photos).patches_per_photo for recipe in alone
    ]
    return BYTES_PER_FEATURE * max(widths, default=0) * photos


def _stages(recipes: Mapping[str, Recipe]) -> Iterator[tuple[str, Recipe]]:
    """The networks that are trained: the members, and their front ends alone."""
    for member, recipe in recipes.items():
        yield member, recipe
        if recipe.front_end_recipe is not None:
            yield front_end_member(recipe), recipe.front_end_recipe


def _parameters(member: str) -> int:
    return BACKBONES[member].parameters if member in BACKBONES else 0
