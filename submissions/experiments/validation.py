"""Does a score on the photos of the training set predict the private score? Measured on several virtual competitions.

The out-of-fold score of each is compared with the private score, whose images are by other devices.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.metrics.bootstrap import percentile_interval
from competition.metrics.weighted_accuracy import accuracy_draws
from competition.utils.atomic_files import write_csv
from competition.utils.tables import format_interval
from competition.virtual.make_competition import VirtualSize
from submissions.blending import blend_members
from submissions.experiments.virtual_runs import SIZE, small_competition, small_recipe, train_small
from submissions.leaderboards.evaluation import Evaluation, evaluate_test, evaluate_validation
from submissions.run import Run
from submissions.submission_csv import PRIVATE

FOLDS = 3
SCORE = ("score", "low", "high")
COLUMNS = [
    "seed",
    *(f"{split}_{name}" for split in ("out_of_fold", "private") for name in SCORE),
    *("difference", "difference_low", "difference_high", "agree"),
]
FILE_NAME = "validation.csv"


def run_validation(
    folder: Path, preset: str, member: str, seeds: int, jobs: int, size: VirtualSize = SIZE, folds: int = FOLDS
) -> pd.DataFrame:
    """Train a member with folds on the virtual competition of each seed, and compare the scores of its blend.

    Args:
        folder: of the competitions, the runs and the table; what exists is not made again.
        preset: of the training.
        member: to train.
        seeds: number of virtual competitions.
        jobs: number of processes.
        size: of the competitions.
        folds: number of folds.

    Returns:
        One row per seed with the columns `COLUMNS`: weighted accuracies with their 95 % intervals; the difference out
        of fold − private with its 95 % interval, for which both sets of images are resampled; and whether the scores
        agree, which means that this interval contains 0. It is also written to validation.csv.
    """
    rows = []
    for seed in range(seeds):
        data = small_competition(folder, seed, jobs, size)
        run = Run(folder / f"run-{seed}", data, {member: small_recipe(preset, member)}, seed, folds=folds)
        rows.append({"seed": seed, **compare_scores(train_small(run, jobs))})
    table = pd.DataFrame(rows, columns=COLUMNS)
    write_csv(table, folder / FILE_NAME)
    return table


def compare_scores(run: Run) -> dict[str, float | bool]:
    """Return the columns of `COLUMNS` without the seed, for a run on data with a solution."""
    test = evaluate_test(run)
    if test is None:
        raise ValueError(f"the data {run.data} has no solution")
    row: dict[str, float | bool] = {}
    draws = []
    for number, (name, evaluation, usage) in enumerate(
        [("out_of_fold", evaluate_validation(run), None), ("private", test, PRIVATE)]
    ):
        blended = blend_members(evaluation.members)
        scores = evaluation.score(blended, usage=usage)
        row |= dict(
            zip([f"{name}_{part}" for part in SCORE], [scores["weighted_accuracy"], *scores["interval"]], strict=True)
        )
        draws.append(_draws(evaluation, blended.argmax(axis=1), usage, number))
    low, high = percentile_interval(draws[0] - draws[1]).tolist()
    difference = float(row["out_of_fold_score"]) - float(row["private_score"])
    return row | {"difference": difference, "difference_low": low, "difference_high": high, "agree": low <= 0 <= high}


def describe_validation(table: pd.DataFrame) -> tuple[dict[str, list[str]], str]:
    """Return the table of `run_validation` as columns of text, and one line that counts the seeds that agree."""
    intervals = {
        "out of fold": [f"out_of_fold_{name}" for name in SCORE],
        "private": [f"private_{name}" for name in SCORE],
        "difference": ["difference", "difference_low", "difference_high"],
    }
    columns = {"seed": table["seed"].astype(str).tolist()}
    for heading, names in intervals.items():
        columns[heading] = list(map(format_interval, *(table[name] for name in names)))
    columns["agree"] = ["yes" if agree else "no" for agree in table["agree"]]
    line = (
        f"out-of-fold and private scores agree within the 95 % interval of their difference in {table['agree'].sum()} "
        f"of {len(table)} virtual competitions (simulated photos); mean difference {table['difference'].mean():+.3f}"
    )
    return columns, line


def _draws(evaluation: Evaluation, labels: NDArray[np.int64], usage: str | None, seed: int) -> NDArray[np.float64]:
    truth = evaluation.truth
    part = np.ones(len(truth), bool) if usage is None else (truth["usage"] == usage).to_numpy(bool)
    return accuracy_draws(
        evaluation.y_true[part],
        labels[part],
        evaluation.is_manipulated[part],
        groups=truth["name"].to_numpy()[part],
        seed=seed,
    )
