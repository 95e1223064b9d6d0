"""The networks of a run: every member trained, and asked about every image. What is on disk is not done again."""

import zlib
from functools import partial
from pathlib import Path

import keras
import pandas as pd

from augment.patches import PatchConfig, TrainingPatches, class_weights
from competition.settings import SETTINGS
from models.backbones import STEM
from models.recipe import Recipe
from models.training.fit import MODEL, load_model, train
from models.training.schedules import head_weights
from submissions.predict import evaluation_patches, predict
from submissions.prediction_cache import save
from submissions.run import Run
from submissions.submit import images
from submissions.tasks import CAMERA, JOINT


def train_member(run: Run, member: str) -> pd.DataFrame:
    """Train one member of a run, its stem first where its recipe has one, or go on with it; its history."""
    recipe, folder = run.recipes[member], run.member(member)
    if recipe.stem is None:
        return _train(run, member, recipe, folder)
    _train(run, STEM, recipe.stem, folder / STEM)
    return _train(run, member, recipe, folder, folder / STEM / MODEL)


def _train(run: Run, network: str, recipe: Recipe, folder: Path, stem: Path | None = None) -> pd.DataFrame:
    targets, validation = run.targets, run.validation
    training = targets.manifest[targets.manifest["split"] == "train"]
    taught, asked = targets.labels(training), targets.labels(validation)
    heads = {head: len(classes) for head, classes in targets.heads.items()}
    joining = [head for head in heads if head in SETTINGS]
    balance = targets.task.label_balance if targets.task.settings else "none"
    unlike = [head for head in heads if head != CAMERA] if balance == "bins" else []
    # Members begin with other weights and see other patches, so that they err on other images.
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
            {head: taught[head] for head in heads},
            config,
            head_weights=partial(head_weights, heads=joining, tau=recipe.tau),
            cells=taught[JOINT] if balance == "cells" else None,
            class_weights={head: class_weights(taught[head], heads[head]) for head in unlike},
        ),
        evaluation_patches(validation, run.data, {head: asked[head] for head in heads}, recipe, recipe.batch),
        heads,
        folder,
        seed,
        stem,
    )


def predict_member(run: Run, member: str) -> None:
    """Predictions of one member for validation and test, where they are not on disk yet."""
    targets = run.targets
    missing = {
        split: table
        for split, table in images(run).items()
        if not all(run.predictions(member, split, target).exists() for target in targets.heads | targets.answers)
    }
    if missing:
        keras.backend.clear_session()
        network = load_model(run.member(member) / MODEL)
    for split, table in missing.items():
        predicted = predict(network, table, run.data, run.recipes[member], targets, f"{member}, {split}")
        for target, answers in predicted.items():
            save(answers, run.predictions(member, split, target))
