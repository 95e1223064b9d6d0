"""Predict the dihedral views of every image with a trained member. Tested by tests/commands/test_main_job.py."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from augment.dihedral import dihedral_views
from augment.loaders import EvaluationPatches, Inputs, reraise_input_errors
from competition.manipulation import UNALTERED
from competition.utils.progress import Progress, progress_bar
from competition.utils.threads import one_thread
from models.classifier import needed_views
from models.recipe import Recipe
from submissions.prediction_cache import Predictions
from submissions.tasks import Targets

IMAGES = 4  # per batch, each in all of its views


class _Views(keras.utils.PyDataset):
    """Every image of `patches` in its first dihedral views: batches of (views · images, size, size, 3)."""

    def __init__(self, patches: EvaluationPatches, views: int) -> None:
        super().__init__(workers=patches.workers)
        self.patches, self.views = patches, views

    def __len__(self) -> int:
        return len(self.patches)

    def __getitem__(self, index: int) -> tuple[Inputs]:
        inputs, *_ = self.patches[index]
        patches = dihedral_views(inputs["patch"], self.views)
        return ({"patch": patches, "is_manipulated": np.tile(inputs["is_manipulated"], (self.views, 1))},)


def evaluation_patches(
    table: pd.DataFrame, folder: Path, targets: Mapping[str, np.ndarray], recipe: Recipe, batch: int, keep: bool = False
) -> EvaluationPatches:
    """The center patches of the images in `table`, as a network trained with `recipe` needs them.

    `keep` them in memory if they are read once per epoch.
    """
    config = replace(recipe.patches, size=recipe.test_patch, batch_size=batch)
    return EvaluationPatches(table, folder, targets, config, keep=keep)


def predict(
    network: keras.Model,
    table: pd.DataFrame,
    folder: Path,
    recipe: Recipe,
    targets: Targets,
    title: str,
    views: int,
) -> dict[str, Predictions]:
    """Predict the images of `table`, in its order, for all of `targets.all_heads`.

    Args:
        network: trained with `recipe`.
        table: columns path (relative to `folder`), manipulation and split, as `EvaluationPatches` takes them.
        folder: of the images.
        recipe: see `network`.
        targets: the run's heads and classes.
        title: of the progress bar.
        views: number of dihedral views of each image, the first of which is the image as it is. Views for which the
            network gives the same probabilities are computed once.

    Returns:
        Predictions by head.
    """
    computed = needed_views(network, views)
    dataset = _Views(evaluation_patches(table, folder, {}, recipe, IMAGES), computed)
    with progress_bar(title, len(dataset), "batch") as bar, one_thread(), reraise_input_errors(dataset.patches):
        outputs = network.predict(dataset, verbose=0, callbacks=[_Progress(bar)])
    return {
        head: Predictions(
            names=table["path"].to_numpy(dtype=np.str_),
            is_manipulated=(table["manipulation"] != UNALTERED).to_numpy(dtype=bool),
            classes=targets.all_heads[head],
            probabilities=np.repeat(_by_view(probabilities, computed), views // computed, axis=0).astype(np.float32),
            use_tta=views > 1,
        )
        for head, probabilities in targets.with_marginals(outputs).items()
    }


def _by_view(probabilities: np.ndarray, views: int) -> np.ndarray:
    """Reorder (rows, classes) into (views, images, classes).

    Each batch holds its images view by view; only the last batch may have fewer images.
    """
    batches = np.split(probabilities, np.arange(views * IMAGES, len(probabilities), views * IMAGES))
    return np.concatenate([batch.reshape(views, -1, probabilities.shape[1]) for batch in batches], axis=1)


class _Progress(keras.callbacks.Callback):
    def __init__(self, bar: Progress) -> None:
        super().__init__()
        self.bar = bar

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self.bar.update()
