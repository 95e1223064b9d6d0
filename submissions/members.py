"""Train the members of a run and cache their predictions. Existing files are kept.

Members that share the recipe of a front end also share its features, which are computed once. Each then trains its own
weights behind them, so that the members of an ensemble err on different images.

Tested by tests/commands/test_main_job.py.
"""

import zlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import keras
import pandas as pd

from augment.loaders import EvaluationPatches, TrainingPatches
from augment.patches import class_weights
from competition.settings import SETTINGS
from models.members import front_end_member
from models.recipe import Recipe
from models.saved import MODEL, load_model
from models.training.features import delete_features, feature_batches, fixed_layer
from models.training.fit import train
from models.training.schedules import head_weights
from submissions.predict import evaluation_patches, predict
from submissions.prediction_cache import save
from submissions.run import FRONT_END, Run
from submissions.tasks import CAMERA, JOINT_HEAD


def train_front_end(run: Run) -> None:
    """Train the front end that the members share, alone, and cache its predictions: the first step of an ablation."""
    recipe = run.shared_front_end
    if recipe is not None:
        member = front_end_member(recipe)
        _train(run, member, recipe, run.front_end_folder, FRONT_END)
        _predict(run, recipe, run.front_end_folder / MODEL, FRONT_END, views=1)


def train_member(run: Run, member: str) -> pd.DataFrame:
    """Train one member, after its front end alone if the recipe says so, or resume it. Returns its history."""
    recipe, folder = run.recipes[member], run.member_folder(member)
    # Each network has its own initial weights and patches, so that members err on different images.
    name = f"members/{member}"
    if recipe.front_end_recipe is None:
        return _train(run, member, recipe, folder, name)
    alone = folder / FRONT_END
    _train(run, front_end_member(recipe), recipe.front_end_recipe, alone, f"{name}/{FRONT_END}")
    return _train(run, member, recipe, folder, name, alone / MODEL)


def predict_member(run: Run, member: str) -> None:
    """Cache the predictions of one member for validation and test, unless they exist."""
    recipe = run.recipes[member]
    _predict(run, recipe, run.member_folder(member) / MODEL, member, recipe.views)


def finish_training(run: Run) -> None:
    """Delete what is only needed while members train."""
    delete_features(run.front_end_folder)


def _train(
    run: Run, network: str, recipe: Recipe, folder: Path, name: str, front_end: Path | None = None
) -> pd.DataFrame:
    """Train a network with the seed of its `name` within the run. `front_end` is the file of its trained front end."""
    heads = {head: len(classes) for head, classes in run.targets.heads.items()}
    seed = _seed(run, name)
    if fixed_layer(network, recipe) is None or (folder / MODEL).exists():
        training, validation = run_patches(run, recipe, seed)
        return train(network, recipe, training, validation, heads, folder, seed, front_end)
    # The patches have the same seed for all that share them, and their order has the seed of the network.
    shared = recipe == run.shared_front_end
    cache = run.front_end_folder if shared else folder
    patches = run_patches(run, recipe, _seed(run, FRONT_END) if shared else seed)
    history = train(
        network, recipe, *feature_batches(cache, network, recipe, *patches, heads, seed), heads, folder, seed
    )
    if not shared:
        delete_features(cache)
    return history


def _seed(run: Run, name: str) -> int:
    return zlib.crc32(f"{run.seed} {name}".encode())


def run_patches(run: Run, recipe: Recipe, seed: int) -> tuple[TrainingPatches, EvaluationPatches]:
    """Return the training and the validation patches of a network of a run, with the weights of their labels."""
    targets, validation = run.targets, run.validation
    training = targets.manifest[targets.manifest["split"] == "train"]
    labels, validation_labels = targets.labels(training), targets.labels(validation)
    heads = list(targets.heads)
    settings = [head for head in heads if head in SETTINGS]
    balance = targets.task.label_balance if targets.task.settings else "none"
    weighted = [head for head in heads if (recipe.balance_cameras if head == CAMERA else balance == "bins")]
    return (
        TrainingPatches(
            training,
            run.data,
            {head: labels[head] for head in heads},
            replace(recipe.patches, seed=seed),
            head_weights=partial(head_weights, heads=settings, tau=recipe.tau),
            cells=labels[JOINT_HEAD] if balance == "cells" else None,
            class_weights={head: class_weights(labels[head], len(targets.heads[head])) for head in weighted},
        ),
        evaluation_patches(
            validation, run.data, {head: validation_labels[head] for head in heads}, recipe, recipe.patches.batch_size
        ),
    )


def _predict(run: Run, recipe: Recipe, model: Path, name: str, views: int) -> None:
    """Cache the predictions of the model in a file, for the validation and test images, under a name in the run."""
    targets = run.targets
    missing = {
        split: table
        for split, table in run.images.items()
        if not all(run.predictions_file(name, split, head).exists() for head in targets.all_heads)
    }
    if missing:
        keras.backend.clear_session()
        network = load_model(model)
    for split, table in missing.items():
        by_head = predict(network, table, run.data, recipe, targets, f"{name}, {split}", views)
        for head, predictions in by_head.items():
            save(predictions, run.predictions_file(name, split, head))
