"""What options of training are worth: one factor at a time, on the private images of several virtual competitions.

Every variant changes one option of the recipe and trains for as many epochs on as many patches as the baseline. With
folds, there is such a training for each fold, and their predictions are averaged. CutMix is not among them: a member
that is trained on histograms of a patch does not know where in the patch they are from.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.metrics.log_loss import log_loss_difference, log_losses
from competition.metrics.weighted_accuracy import accuracy_difference, weighted_accuracy
from competition.utils.atomic_files import write_csv
from competition.utils.tables import format_interval
from competition.virtual.make_competition import VirtualSize
from models.recipe import change
from submissions.blending import blend_members
from submissions.experiments.virtual_runs import SIZE, small_competition, small_recipe, train_small
from submissions.leaderboards.evaluation import evaluate_test
from submissions.run import Run
from submissions.submission_csv import PRIVATE

BASELINE = "baseline"
PSEUDO_LABELS = "pseudo-labels"
CONFIDENCE = 0.9
# Changes of the recipe or of the folds by the name of the variant; None for the predictions of the baseline as labels.
VARIANTS: Mapping[str, Mapping[str, Any] | None] = MappingProxyType(
    {
        BASELINE: {},
        "averaged weights": {"average_epochs": 1.0},
        "label smoothing": {"label_smoothing": 0.1},
        "mixup of histograms": {"mixup": 0.2},
        "two batches per step": {"accumulate": 2},
        "no warm-up and decay": {"schedule": "plateau"},
        "three folds": {"folds": 3},
        PSEUDO_LABELS: None,
    }
)
DIFFERENCES = ("accuracy_difference", "log_loss_difference")
COLUMNS = [
    *("variant", "images", "weighted_accuracy", "log_loss"),
    *(f"{name}{part}" for name in DIFFERENCES for part in ("", "_low", "_high")),
]
FILE_NAME = "recipe.csv"


def run_recipe(folder: Path, preset: str, member: str, seeds: int, jobs: int, size: VirtualSize = SIZE) -> pd.DataFrame:
    """Train every variant on the virtual competition of each seed, and compare it with the baseline.

    Args:
        folder: of the competitions, the runs and the table; what exists is not made again.
        preset: of the training.
        member: to train; its features must be computed once, as those of `dctnet`.
        seeds: number of virtual competitions.
        jobs: number of processes.
        size: of the competitions.

    Returns:
        One row per variant with the columns `COLUMNS`, on the private images of all competitions together: differences
        to the baseline have paired 95 % intervals. It is also written to recipe.csv.
    """
    found: dict[str, list[pd.DataFrame]] = {variant: [] for variant in VARIANTS}
    for seed in range(seeds):
        data = small_competition(folder, seed, jobs, size)
        for variant in VARIANTS:
            found[variant].append(private_predictions(train_variant(folder, data, variant, preset, member, seed, jobs)))
    table = compare_variants({variant: pd.concat(parts, keys=range(seeds)) for variant, parts in found.items()})
    write_csv(table, folder / FILE_NAME)
    return table


def train_variant(folder: Path, data: Path, variant: str, preset: str, member: str, seed: int, jobs: int) -> Run:
    """Train one variant on the data of one seed; returns its run."""
    changes = dict(VARIANTS[variant] or {})
    folds = changes.pop("folds", 0)
    recipes = {member: change(small_recipe(preset, member), **changes)}
    run = Run(_folder(folder, variant, seed), data, recipes, seed, folds=folds)
    if variant == PSEUDO_LABELS:
        run = replace(run, pseudo_labels=_folder(folder, BASELINE, seed), confidence=CONFIDENCE)
    return train_small(run, jobs)


def private_predictions(run: Run) -> pd.DataFrame:
    """Return the private images: columns name, truth, is_manipulated, and the probability of each camera."""
    test = evaluate_test(run)
    assert test is not None  # a virtual competition has a solution
    columns = {"name": test.truth["name"], "truth": test.y_true, "is_manipulated": test.is_manipulated}
    table = pd.DataFrame(columns).join(pd.DataFrame(blend_members(test.members), columns=list(test.classes)))
    return table[(test.truth["usage"] == PRIVATE).to_numpy()]


def compare_variants(predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare the predictions of the variants for the same images with those of the baseline; see `run_recipe`."""
    first = predictions[BASELINE]
    truth, flags = first["truth"].to_numpy(), first["is_manipulated"].to_numpy()
    groups = first.index.get_level_values(0).astype(str) + " " + first["name"]
    plain = _probabilities(first)
    rows = []
    for variant, table in predictions.items():
        values = _probabilities(table)
        labels = values.argmax(axis=1)
        row = [variant, len(table), weighted_accuracy(truth, labels, flags), log_losses(values, truth).mean()]
        accuracy = accuracy_difference(truth, labels, plain.argmax(axis=1), flags, groups=groups)
        loss = log_loss_difference(values, plain, truth, groups)
        rows.append([*row, *accuracy, *loss])
    return pd.DataFrame(rows, columns=COLUMNS)


def describe_recipe(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return the table of `run_recipe` as columns of text."""
    columns = {
        "variant": table["variant"].tolist(),
        "images": table["images"].astype(str).tolist(),
        "weighted accuracy": [f"{value:.3f}" for value in table["weighted_accuracy"]],
        "log loss": [f"{value:.3f}" for value in table["log_loss"]],
    }
    for name, heading in zip(DIFFERENCES, ("difference of accuracy", "difference of log loss"), strict=True):
        columns[heading] = list(map(format_interval, *(table[f"{name}{part}"] for part in ("", "_low", "_high"))))
        columns[heading][0] = ""
    return columns


def _folder(folder: Path, variant: str, seed: int) -> Path:
    return folder / f"{variant.replace(' ', '-')}-{seed}"


def _probabilities(table: pd.DataFrame) -> NDArray[np.float64]:
    return table.drop(columns=["name", "truth", "is_manipulated"]).to_numpy(np.float64)
