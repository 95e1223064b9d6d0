"""Train the members of a run and cache their predictions. Existing files are kept.

Every function takes a run, or one fold of it (`Run.parts`). Members that share the recipe of a front end also share its
features, which are computed once for all folds. Each then trains its own weights behind them, so that the members of an
ensemble err on different images.

Tested by tests/commands/test_main_job.py and tests/commands/test_folds.py.
"""

import zlib
from collections.abc import Iterator
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
from models.training.features import compute_features, delete_features, feature_batches, fixed_layer
from models.training.fit import train
from models.training.options import NO_OPTIONS, TrainingOptions
from models.training.schedules import head_weights
from submissions.predict import evaluation_patches, predict
from submissions.prediction_cache import save
from submissions.run import FRONT_END, Run
from submissions.tasks import CAMERA, JOINT_HEAD

VALIDATION_BATCH = 32  # patches, larger than those of training: bounds the memory of batches that are made in advance


def train_front_end(run: Run, options: TrainingOptions = NO_OPTIONS) -> None:
    """Train the front end that the members share, alone, and cache its predictions: the first step of an ablation."""
    recipe = run.shared_front_end
    if recipe is not None:
        _train(run, front_end_member(recipe), recipe, FRONT_END, options=options)
        _predict(run, recipe, run.front_end_folder / MODEL, FRONT_END, views=1)


def train_member(run: Run, member: str, options: TrainingOptions = NO_OPTIONS) -> pd.DataFrame:
    """Train one member, after its front end alone if the recipe says so, or resume it. Returns its history."""
    *alone, own = _member_trainings(run, member)
    if not alone:
        return _train(run, *own, options=options)
    _train(run, *alone[0], options=options)
    return _train(run, *own, front_end=run.folder / alone[0][2] / MODEL, options=options)


def predict_member(run: Run, member: str) -> None:
    """Cache the predictions of one member for validation and test, unless they exist."""
    recipe = run.recipes[member]
    _predict(run, recipe, run.member_folder(member) / MODEL, member, recipe.views)


def prepare_training(run: Run) -> None:
    """Compute the features that the unfinished trainings of several folds share."""
    heads = _heads(run)
    for part in run.parts:
        for network, recipe, name in _trainings(part):
            if fixed_layer(network, recipe) is not None and not (part.folder / name / MODEL).exists():
                owner = _owner(run, recipe, name)
                compute_features(
                    run.folder / owner, network, recipe, *run_patches(run, recipe, _seed(run, owner)), heads
                )


def finish_training(run: Run) -> None:
    """Delete what is only needed while members train."""
    for _, _, name in _trainings(run):
        delete_features(run.folder / name)


# A training: the network, its recipe, and the name of its folder in the run.
Training = tuple[str, Recipe, str]


def _trainings(run: Run) -> Iterator[Training]:
    """All trainings of a run."""
    shared = run.shared_front_end
    if shared is not None:
        yield front_end_member(shared), shared, FRONT_END
    for member in run.members:
        yield from _member_trainings(run, member)


def _member_trainings(run: Run, member: str) -> Iterator[Training]:
    """The training of a member, after that of its front end alone if its recipe has one."""
    recipe, name = run.recipes[member], f"members/{member}"
    if recipe.front_end_recipe is not None:
        yield front_end_member(recipe), recipe.front_end_recipe, f"{name}/{FRONT_END}"
    yield member, recipe, name


def _train(
    run: Run,
    network: str,
    recipe: Recipe,
    name: str,
    front_end: Path | None = None,
    options: TrainingOptions = NO_OPTIONS,
) -> pd.DataFrame:
    """Train a network in the folder `name` of the run. `front_end` is the file of its trained front end."""
    folder, heads = run.folder / name, _heads(run)
    # Each network has its own initial weights and patches, so that members err on different images.
    seed = _seed(run, name)
    if fixed_layer(network, recipe) is None or (folder / MODEL).exists():
        training, validation = run_patches(run, recipe, seed)
        return train(network, recipe, training, validation, heads, folder, seed, front_end, options)
    # The patches have the same seed for all that share them, and their order has the seed of the network.
    whole, owner = run.whole, _owner(run, recipe, name)
    patches = run_patches(whole, recipe, _seed(whole, owner))
    used = (
        whole.training["path"].isin(run.training["path"]).to_numpy(),
        whole.validation["path"].isin(run.validation["path"]).to_numpy(),
    )
    features = feature_batches(whole.folder / owner, network, recipe, *patches, heads, seed, used)
    history = train(network, recipe, *features, heads, folder, seed, options=options)
    if owner != FRONT_END and run.fold is None:  # no other training uses them
        delete_features(whole.folder / owner)
    return history


def _owner(run: Run, recipe: Recipe, name: str) -> str:
    """The folder in the run whose features the training `name` uses."""
    return FRONT_END if recipe == run.shared_front_end else name


def _heads(run: Run) -> dict[str, int]:
    return {head: len(classes) for head, classes in run.targets.heads.items()}


def _seed(run: Run, name: str) -> int:
    """The seed of a training, and of the patches, in the folder `name` of the run."""
    fold = "" if run.fold is None else f"folds/{run.fold}/"
    return zlib.crc32(f"{run.seed} {fold}{name}".encode())


def run_patches(run: Run, recipe: Recipe, seed: int) -> tuple[TrainingPatches, EvaluationPatches]:
    """Return the training and the validation patches of a network of a run, with the weights of their labels."""
    targets, training, validation = run.targets, run.training, run.validation
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
            replace(recipe.patches_for(len(training)), seed=seed),
            head_weights=partial(head_weights, heads=settings, tau=recipe.tau),
            cells=labels[JOINT_HEAD] if balance == "cells" else None,
            class_weights={head: class_weights(labels[head], len(targets.heads[head])) for head in weighted},
        ),
        evaluation_patches(
            validation,
            run.data,
            {head: validation_labels[head] for head in heads},
            recipe,
            min(recipe.patches.batch_size, VALIDATION_BATCH),
            keep=True,
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
