"""Train the members of a run and cache their predictions. Existing files are kept.

Tested by tests/commands/test_main_job.py.
"""

import zlib
from functools import partial
from pathlib import Path

import keras
import pandas as pd

from augment.loaders import TrainingPatches
from augment.patches import PatchConfig, class_weights
from competition.settings import SETTINGS
from models.backbones import STEM
from models.recipe import Recipe
from models.training.fit import MODEL, load_model, train
from models.training.schedules import head_weights
from submissions.predict import evaluation_patches, predict
from submissions.prediction_cache import save
from submissions.run import Run
from submissions.tasks import CAMERA, JOINT_HEAD


def train_member(run: Run, member: str) -> pd.DataFrame:
    """Train one member, after its stem if its recipe has one, or resume it. Returns its history."""
    recipe, folder = run.recipes[member], run.member_folder(member)
    if recipe.stem is None:
        return _train(run, member, recipe, folder)
    _train(run, STEM, recipe.stem, folder / STEM)
    return _train(run, member, recipe, folder, folder / STEM / MODEL)


def _train(run: Run, network: str, recipe: Recipe, folder: Path, stem: Path | None = None) -> pd.DataFrame:
    targets, validation = run.targets, run.validation
    training = targets.manifest[targets.manifest["split"] == "train"]
    labels, validation_labels = targets.labels(training), targets.labels(validation)
    heads = {head: len(classes) for head, classes in targets.heads.items()}
    settings = [head for head in heads if head in SETTINGS]
    balance = targets.task.label_balance if targets.task.settings else "none"
    weighted = [head for head in heads if head != CAMERA] if balance == "bins" else []
    # Each member has its own initial weights and patches, so that members err on different images.
    seed = zlib.crc32(f"{run.seed} {folder.relative_to(run.folder)}".encode())
    config = PatchConfig(
        recipe.patch,
        recipe.batch,
        recipe.patches_per_photo,
        seed,
        recipe.dihedral,
        input=recipe.input,
        manipulated_share=recipe.manipulated,
        padding=recipe.padding,
        rotation=recipe.rotation,
    )
    return train(
        network,
        recipe,
        TrainingPatches(
            training,
            run.data,
            {head: labels[head] for head in heads},
            config,
            head_weights=partial(head_weights, heads=settings, tau=recipe.tau),
            cells=labels[JOINT_HEAD] if balance == "cells" else None,
            class_weights={head: class_weights(labels[head], heads[head]) for head in weighted},
        ),
        evaluation_patches(
            validation, run.data, {head: validation_labels[head] for head in heads}, recipe, recipe.batch
        ),
        heads,
        folder,
        seed,
        stem,
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
