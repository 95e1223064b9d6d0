"""What a trained member says of every view of every image."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from augment.dihedral import VIEWS, dihedral
from augment.manipulations import UNALTERED
from augment.patches import EvaluationPatches, Inputs, own_errors
from models.recipe import Recipe
from submissions.prediction_cache import Predictions
from submissions.tasks import Targets

IMAGES = 4  # in a batch, each in all its views


class _Views(keras.utils.PyDataset):
    """Every image of `patches` in all eight dihedral views: batches of (views · images, size, size, 3)."""

    def __init__(self, patches: EvaluationPatches) -> None:
        super().__init__(workers=patches.workers)
        self.patches = patches

    def __len__(self) -> int:
        return len(self.patches)

    def __getitem__(self, index: int) -> tuple[Inputs]:
        inputs, *_ = self.patches[index]
        turned = np.concatenate([dihedral(inputs["patch"], view) for view in range(VIEWS)])
        return ({"patch": turned, "is_manipulated": np.tile(inputs["is_manipulated"], (VIEWS, 1))},)


def evaluation_patches(
    table: pd.DataFrame, folder: Path, targets: Mapping[str, np.ndarray], recipe: Recipe, batch: int
) -> EvaluationPatches:
    """The images of `table` as a network that was trained by `recipe` is shown them."""
    return EvaluationPatches(table, folder, targets, recipe.test_patch, batch, input=recipe.input, padding=recipe.padding)


def predict(
    network: keras.Model, table: pd.DataFrame, folder: Path, recipe: Recipe, targets: Targets, title: str
) -> dict[str, Predictions]:
    """What `network` says of the images of `table`, in its order, trained by `recipe`: question → predictions.

    With a correlated output the questions are the settings and their joint cell. `table` has the columns path (relative
    to `folder`), manipulation and split, as `EvaluationPatches` takes them. Shows a progress bar called `title`.
    """
    views = _Views(evaluation_patches(table, folder, {}, recipe, IMAGES))
    with tqdm(total=len(views), desc=title, unit="batch") as bar, own_errors(views.patches):
        predicted = network.predict(views, verbose=0, callbacks=[_Progress(bar)])
    classes = targets.heads | targets.answers
    return {
        target: Predictions(
            names=table["path"].to_numpy(dtype=np.str_),
            is_manipulated=(table["manipulation"] != UNALTERED).to_numpy(dtype=bool),
            classes=classes[target],
            probabilities=_by_view(rows).astype(np.float32),
            dihedral=recipe.dihedral,
        )
        for target, rows in targets.with_marginals(predicted).items()
    }


def _by_view(rows: np.ndarray) -> np.ndarray:
    """(views, images, classes) from batches that hold their images view after view; only the last may be smaller."""
    batches = np.split(rows, np.arange(VIEWS * IMAGES, len(rows), VIEWS * IMAGES))
    return np.concatenate([batch.reshape(VIEWS, -1, rows.shape[1]) for batch in batches], axis=1)


class _Progress(keras.callbacks.Callback):
    def __init__(self, bar: tqdm) -> None:
        super().__init__()
        self.bar = bar

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self.bar.update()
