"""The networks of a run: every member trained, and asked about every image. What is on disk already is not done again."""

import keras
import numpy as np
import pandas as pd

from augment.pipeline import EvaluationPatches, PatchConfig, TrainingPatches
from models.training import MODEL, load_model, train
from submissions.predicting import predict
from submissions.predictions import save
from submissions.results import images
from submissions.runs import Run

HEAD = "camera"


def train_member(run: Run, member: str) -> pd.DataFrame:
    """Train one member of a run, or go on with it; its history."""
    recipe, classes = run.recipes[member], run.classes
    manifest = run.manifest
    training = manifest[manifest["split"] == "train"]
    validation = run.validation
    config = PatchConfig(recipe.patch, recipe.batch, recipe.patches_per_photo, run.seed)
    return train(
        member,
        recipe,
        TrainingPatches(training, run.data, {HEAD: _labels(training, classes)}, config),
        EvaluationPatches(validation, run.data, {HEAD: _labels(validation, classes)}, recipe.patch, recipe.batch),
        {HEAD: len(classes)},
        run.member(member),
        run.seed,
    )


def predict_member(run: Run, member: str) -> None:
    """Predictions of one member for validation and test, where they are not on disk yet."""
    missing = {split: table for split, table in images(run).items() if not run.predictions(member, split).exists()}
    if missing:
        keras.backend.clear_session()
        network = load_model(run.member(member) / MODEL)
    for split, table in missing.items():
        said = predict(network, table, run.data, run.classes, f"{member}, {split}")
        save(said, run.predictions(member, split))


def _labels(table: pd.DataFrame, classes: tuple[str, ...]) -> np.ndarray:
    return pd.Index(classes).get_indexer(pd.Index(table["camera"])).astype(np.int32)
