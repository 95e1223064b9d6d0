"""The networks of a run: every member trained, and asked about every image. What is on disk is not done again."""

import zlib
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from augment.pipeline import EvaluationPatches, PatchConfig, TrainingPatches
from models.backbones import STEM
from models.recipe import Recipe
from models.training import MODEL, load_model, train
from submissions.predicting import predict
from submissions.predictions import save
from submissions.results import images
from submissions.runs import Run

HEAD = "camera"


def train_member(run: Run, member: str) -> pd.DataFrame:
    """Train one member of a run, its stem first where its recipe has one, or go on with it; its history."""
    recipe, folder = run.recipes[member], run.member(member)
    if recipe.stem is None:
        return _train(run, member, recipe, folder)
    _train(run, STEM, recipe.stem, folder / STEM)
    return _train(run, member, recipe, folder, folder / STEM / MODEL)


def _train(run: Run, network: str, recipe: Recipe, folder: Path, stem: Path | None = None) -> pd.DataFrame:
    classes, manifest, validation = run.classes, run.manifest, run.validation
    training = manifest[manifest["split"] == "train"]
    # Members begin with other weights and see other patches, so that they err on other images.
    seed = zlib.crc32(f"{run.seed} {folder.relative_to(run.folder)}".encode())
    config = PatchConfig(recipe.patch, recipe.batch, recipe.patches_per_photo, seed, recipe.turns)
    return train(
        network,
        recipe,
        TrainingPatches(training, run.data, {HEAD: _labels(training, classes)}, config),
        EvaluationPatches(validation, run.data, {HEAD: _labels(validation, classes)}, recipe.test_patch, recipe.batch),
        {HEAD: len(classes)},
        folder,
        seed,
        stem,
    )


def predict_member(run: Run, member: str) -> None:
    """Predictions of one member for validation and test, where they are not on disk yet."""
    missing = {split: table for split, table in images(run).items() if not run.predictions(member, split).exists()}
    if missing:
        keras.backend.clear_session()
        network = load_model(run.member(member) / MODEL)
    for split, table in missing.items():
        said = predict(network, table, run.data, run.recipes[member], run.classes, f"{member}, {split}")
        save(said, run.predictions(member, split))


def _labels(table: pd.DataFrame, classes: tuple[str, ...]) -> np.ndarray:
    return pd.Index(classes).get_indexer(pd.Index(table["camera"])).astype(np.int32)
