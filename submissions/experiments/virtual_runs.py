"""Runs on small virtual competitions, one for each seed: what the experiments on cameras compare.

Tested by tests/submissions/experiments/test_validation.py.
"""

from pathlib import Path

from joblib import effective_n_jobs

from augment.manipulations import cut_test_patch, source_size
from competition.virtual.make_competition import VirtualSize, make_competition
from models.presets import classifier_recipe
from models.recipe import Recipe, change
from submissions.pseudo_labels import missing_pseudo_labels
from submissions.run import Run, open_run, start_run
from submissions.train_run import train_run

# 80 photos and 200 test patches, of which 140 count for the private score. Large enough for every manipulation.
SIZE = VirtualSize(photos=8, patches=20, patch=128, scale=0.7)
PATCHES_PER_PHOTO, EPOCHS = 24, 20


def small_competition(folder: Path, seed: int, jobs: int, size: VirtualSize = SIZE) -> Path:
    """Simulate what is missing of the virtual competition of a seed, in its own folder below `folder`; returns it."""
    data = folder / f"virtual-{seed}"
    make_competition(data, size, seed, cut_test_patch, source_size, jobs)
    return data


def small_recipe(preset: str, member: str) -> Recipe:
    """Return the recipe of a member with fewer patches of each photo, seen more often, and one view: a faster run."""
    recipe = change(classifier_recipe(preset, member), dihedral=False)
    if recipe.patches.patches_per_photo <= PATCHES_PER_PHOTO:
        return recipe
    return change(recipe, patches_per_photo=PATCHES_PER_PHOTO, fewest_patches=0, epochs=EPOCHS, patience=EPOCHS)


def train_small(run: Run, jobs: int) -> Run:
    """Train a run, or what is missing of it, and cache its predictions; returns it with patches that fit the images."""
    start_run(run, jobs, fit_patches=True, pseudo_labels=missing_pseudo_labels(run))
    started = open_run(run.folder)
    train_run(started, effective_n_jobs(jobs))
    return started
