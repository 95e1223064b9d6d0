"""Presets: recipes for a purpose. This module imports no framework, so that the command line can list them at once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from competition.errors import unknown_name
from models.backbones import backbone
from models.recipe import Recipe


def full(member: str) -> Recipe:
    """The blog's recipe, for a GPU and thousands of photographs.

    512×512 patches, ImageNet weights, Adam 1e-4, the rate halved after 5 epochs without a better validation loss, the
    best weights kept. Its author reached the top 3 % with 25,000 photographs; published single networks of this kind score
    0.97–0.98 there. Not yet trained here: it wants a GPU for days.

        ./run.sh train ensemble --preset full --data DIR
    """
    return Recipe(
        patch=512,
        front="none",
        weights="imagenet",
        epochs=100,
        patches_per_photo=1,
        batch=16,
        learning_rate=1e-4,
        schedule="plateau",
        patience=15,  # three halvings without any gain
        momentum=0.99,
        dropout=0.3,
        precision="mixed_float16",
    )


def quick(member: str) -> Recipe:
    """From scratch on two CPU cores; the default where there is no GPU."""
    return Recipe(
        patch=96,
        front="stem",
        weights="none",
        epochs=8,
        patches_per_photo=1,
        batch=32,
        learning_rate=1e-3,
        schedule="cycle",
        patience=8,
        momentum=0.9,
        dropout=0.2,
        precision="float32",
    )


def smoke(member: str) -> Recipe:
    """Seconds: shows that everything fits together, not that anything is learnt. For tests."""
    smallest = backbone(member).smallest
    return replace(quick(member), patch=max(32, smallest), epochs=1, batch=8, patience=1)


PRESETS: dict[str, Callable[[str], Recipe]] = {"full": full, "quick": quick, "smoke": smoke}


def recipe(preset: str, member: str, **changes: Any) -> Recipe:
    """The recipe of a preset for a member, with what the user changed (a `None` changes nothing)."""
    if preset not in PRESETS:
        raise unknown_name("preset", preset, PRESETS)
    return replace(PRESETS[preset](member), **{name: value for name, value in changes.items() if value is not None})
