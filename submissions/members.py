"""Train the members of a run and cache their predictions. Existing files are kept.

Tested by tests/commands/test_main_job.py.
"""

import zlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import keras
import pandas as pd

from augment.loaders import TrainingPatches
from augment.patches import class_weights
from competition.settings import SETTINGS
from models.members import front_end_member
from models.recipe import Recipe
from models.saved import MODEL, load_model
from models.training.fit import train
from models.training.schedules import head_weights
from submissions.predict import evaluation_patches, predict
from submissions.prediction_cache import save
from submissions.run import Run
from submissions.tasks import CAMERA, JOINT_HEAD

FRONT_END = "front_end"  # folder of the training of a front end alone, in the folder of its member


def train_member(run: Run, member: str) -> pd.DataFrame:
    """Train one member, after its front end alone if the recipe says so, or resume it. Returns its history."""
    recipe, folder = run.recipes[member], run.member_folder(member)
    # Each network has its own initial weights and patches, so that members err on different images.
    name = f"{run.seed} members/{member}"
    if recipe.front_end_recipe is None:
        return _train(run, member, recipe, folder, name)
    alone = folder / FRONT_END
    _train(run, front_end_member(recipe), recipe.front_end_recipe, alone, f"{name}/stem")
    return _train(run, member, recipe, folder, name, alone / MODEL)


def _train(
    run: Run, network: str, recipe: Recipe, folder: Path, seed_name: str, front_end: Path | None = None
) -> pd.DataFrame:
    """Train a network with the seed of `seed_name`. `front_end` is the file of its trained front end."""
    targets, validation = run.targets, run.validation
    training = targets.manifest[targets.manifest["split"] == "train"]
    labels, validation_labels = targets.labels(training), targets.labels(validation)
    heads = {head: len(classes) for head, classes in targets.heads.items()}
    settings = [head for head in heads if head in SETTINGS]
    balance = targets.task.label_balance if targets.task.settings else "none"
    weighted = [head for head in heads if head != CAMERA] if balance == "bins" else []
    seed = zlib.crc32(seed_name.encode())
    return train(
        network,
        recipe,
        TrainingPatches(
            training,
            run.data,
            {head: labels[head] for head in heads},
            replace(recipe.patches, seed=seed),
            head_weights=partial(head_weights, heads=settings, tau=recipe.tau),
            cells=labels[JOINT_HEAD] if balance == "cells" else None,
            class_weights={head: class_weights(labels[head], heads[head]) for head in weighted},
        ),
        evaluation_patches(
            validation, run.data, {head: validation_labels[head] for head in heads}, recipe, recipe.patches.batch_size
        ),
        heads,
        folder,
        seed,
        front_end,
    )


def predict_member(run: Run, member: str) -> None:
    """Cache the predictions of one member for validation and test, unless they exist."""
    targets = run.targets
    missing = {
        split: table
        for split, table in run.images.items()
        if not all(run.predictions_file(member, split, head).exists() for head in targets.all_heads)
    }
    if missing:
        keras.backend.clear_session()
        network = load_model(run.member_folder(member) / MODEL)
    for split, table in missing.items():
        by_head = predict(network, table, run.data, run.recipes[member], targets, f"{member}, {split}")
        for head, predictions in by_head.items():
            save(predictions, run.predictions_file(member, split, head))
