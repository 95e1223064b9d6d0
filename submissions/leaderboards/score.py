"""Score a run from its cached predictions, and write its leaderboards. No network is loaded."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from competition.metrics.weighted_accuracy import accuracy_table
from competition.utils.atomic_files import write_csv, write_json
from submissions.blending import blend_members
from submissions.leaderboards import camera
from submissions.leaderboards.evaluation import Evaluation, truth_of_test
from submissions.leaderboards.settings import format_settings, score_settings
from submissions.prediction_cache import Predictions, load_members
from submissions.run import Run
from submissions.submission_csv import read_solution


def score_run(run: Run) -> str:
    """Score the run on all of its tasks, write the leaderboards, and return them as text."""
    parts = []
    if run.task.camera:
        parts.append(camera.format_table(score_camera(run)))
    if run.task.settings:
        parts.append(format_settings(score_settings(run)))
    return "\n\n".join(parts)


def score_camera(run: Run) -> pd.DataFrame:
    """Write scores.json and leaderboard.csv; returns the leaderboard.

    Scores are on the validation images and, if the data has a solution.csv, on the test set.
    """
    validation, test = _validation(run), None
    solution, members = read_solution(run.data), load_members(run, "test")
    if solution is not None and members:
        members = {member: _by_file_name(predictions) for member, predictions in members.items()}
        test = Evaluation(members, truth_of_test(solution, next(iter(members.values())).names))
    write_json(camera.scores(validation, test), run.folder / "scores.json")
    table = camera.leaderboard(run.folder.name, validation, test, run.note)
    write_csv(table, run.folder / camera.FILE_NAME)
    return table


def camera_accuracies(run: Run) -> pd.DataFrame:
    """Accuracy of the blend on the validation images: one row per camera, one column per manipulation."""
    validation = _validation(run)
    predicted = blend_members(validation.members).argmax(axis=1)
    cells = accuracy_table(validation.y_true, predicted, validation.truth["manipulation"], validation.classes)
    return cells.pivot_table(index="camera", columns="manipulation", values="accuracy", sort=False)


def _validation(run: Run) -> Evaluation:
    return Evaluation(load_members(run, "validation"), run.validation.rename(columns={"path": "name"}))


def _by_file_name(predictions: Predictions) -> Predictions:
    """Test predictions with the file names that solution.csv uses, instead of paths."""
    names = np.array([Path(name).name for name in predictions.names], dtype=np.str_)
    return replace(predictions, names=names)
