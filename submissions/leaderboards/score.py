"""Score a run from its cached predictions, and write its leaderboards. No network is loaded."""

import pandas as pd

from competition.metrics.weighted_accuracy import accuracy_table
from competition.utils.atomic_files import write_csv, write_json
from submissions.blending import blend_members
from submissions.leaderboards import camera
from submissions.leaderboards.ablation import FILE_NAME as ABLATION
from submissions.leaderboards.ablation import ablation, format_ablation
from submissions.leaderboards.blends import fitted_blends, nested_blends
from submissions.leaderboards.calibration import FILE_NAME as CALIBRATION
from submissions.leaderboards.calibration import calibration, format_calibration
from submissions.leaderboards.evaluation import evaluate_test, evaluate_validation
from submissions.leaderboards.settings import format_settings, score_settings
from submissions.prediction_cache import Predictions, load
from submissions.run import FRONT_END, Run


def score_run(run: Run, write: bool = True) -> str:
    """Score the run on all of its tasks and write the leaderboards unless `write` is false; returns them as text."""
    parts = []
    if run.task.camera:
        parts.append(camera.format_table(score_camera(run, write)))
        parts.append(format_ablation(measure_ablation(run, write)))
        parts.append(format_calibration(measure_calibration(run, write)))
    if run.task.settings:
        parts.append(format_settings(score_settings(run, write)))
    return "\n\n".join(parts)


def score_camera(run: Run, write: bool = True) -> pd.DataFrame:
    """Write scores.json and leaderboard.csv unless `write` is false; returns the leaderboard.

    Scores are on the validation images and, if the data has a solution.csv, on the test set.
    """
    validation, test = evaluate_validation(run), evaluate_test(run)
    table = camera.leaderboard(run.folder.name, validation, test, run.note)
    if write:
        write_json(camera.scores(validation, test), run.folder / "scores.json")
        write_csv(table, run.folder / camera.FILE_NAME)
    return table


def measure_ablation(run: Run, write: bool = True) -> pd.DataFrame:
    """Write ablation.csv, what each step of the ensemble is worth, unless `write` is false; returns it.

    The steps are measured on the validation images and, if the data has a solution.csv, on the test set, whose
    images nothing was chosen on.
    """
    validation, test = evaluate_validation(run), evaluate_test(run)
    quotas = camera.validation_quotas(validation)
    tables = [ablation("validation", validation, _front_end(run, "validation"), quotas, nested_blends(validation))]
    if test is not None:
        blends = fitted_blends(validation, test)
        tables.append(ablation("test", test, _front_end(run, "test"), camera.blind_quotas(test), blends))
    table = pd.concat(tables, ignore_index=True)
    if write:
        write_csv(table, run.folder / ABLATION)
    return table


def measure_calibration(run: Run, write: bool = True) -> pd.DataFrame:
    """Write calibration.csv, temperatures and what they do to probabilities, unless `write` is false; returns it."""
    table = calibration(evaluate_validation(run), evaluate_test(run))
    if write:
        write_csv(table, run.folder / CALIBRATION)
    return table


def leaderboard_rows(run: Run) -> pd.DataFrame:
    """Score the run and return the rows of its leaderboards, with the column task: camera, then settings."""
    tables = [score_camera(run, write=False).assign(task="camera")] if run.task.camera else []
    if run.task.settings:
        tables.append(score_settings(run, write=False).assign(task="settings"))
    return pd.concat(tables, ignore_index=True)


def camera_accuracies(run: Run) -> pd.DataFrame:
    """Accuracy of the blend on the validation images: one row per camera, one column per manipulation."""
    validation = evaluate_validation(run)
    predicted = blend_members(validation.members).argmax(axis=1)
    cells = accuracy_table(validation.y_true, predicted, validation.truth["manipulation"], validation.classes)
    return cells.pivot_table(index="camera", columns="manipulation", values="accuracy", sort=False)


def _front_end(run: Run, split: str) -> Predictions | None:
    """Predictions of the front end that the members share, if they share one."""
    path = run.predictions_file(FRONT_END, split)
    return load(path) if path.exists() else None
