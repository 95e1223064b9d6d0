"""What follows from a run's predictions: scores, leaderboard, submission. No network is loaded for any of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from competition.metrics.weighted_accuracy import accuracy_table
from competition.utils.atomic_files import write_csv, write_json
from competition.utils.errors import InputError
from submissions.balancing import assign_within, equal_quotas_within
from submissions.blending import DEFAULT, blend
from submissions.leaderboards import camera as leaderboard
from submissions.leaderboards.evaluation import Evaluation, read_solution, truth_of_test
from submissions.prediction_cache import Predictions, answer, check_matches, load
from submissions.run import Run
from submissions.submission_csv import read_expected_names, write_submission
from submissions.tasks import CAMERA


def images(run: Run) -> dict[str, pd.DataFrame]:
    """The images that members are asked about, by split: `validation`, and `test` where the data has a test set."""
    manifest = run.manifest
    tables = {"validation": run.validation, "test": manifest[manifest["split"] == "test"]}
    return {split: table for split, table in tables.items() if len(table)}


def score(run: Run) -> pd.DataFrame:
    """Write `scores.json` and `leaderboard.csv` from the predictions on disk; the leaderboard."""
    members = {split: load_members(run, split) for split in images(run)}
    validation = Evaluation(members["validation"], run.validation.rename(columns={"path": "name"}))
    solution, test = read_solution(run.data), None
    if solution is not None and "test" in members:
        tested = {member: _by_file_name(predicted) for member, predicted in members["test"].items()}
        test = Evaluation(tested, truth_of_test(solution, next(iter(tested.values())).names))
    write_json(leaderboard.scores(validation, test), run.folder / "scores.json")
    table = leaderboard.leaderboard(run.folder.name, validation, test, run.note)
    write_csv(table, run.folder / leaderboard.FILE_NAME)
    return table


def accuracies(run: Run) -> pd.DataFrame:
    """Accuracy of the blend on the validation images, one row per camera, one column per manipulation."""
    evaluation = Evaluation(load_members(run, "validation"), run.validation.rename(columns={"path": "name"}))
    predicted = evaluation.blended(DEFAULT).argmax(axis=1)
    cells = accuracy_table(evaluation.y_true, predicted, evaluation.truth["manipulation"], evaluation.classes)
    return cells.pivot_table(index="camera", columns="manipulation", values="accuracy", sort=False).round(2)


def submit(run: Run, path: Path, kind: str = DEFAULT, method: str = "none", quota: int | None = None) -> pd.DataFrame:
    """Write a checked submission; returns its table, fname, camera, is_manipulated.

    Args:
        run: with predictions for its test set on disk.
        path: of the CSV file.
        kind: how views and members are blended, a name of `submissions.blending.KINDS`.
        method: how classes are balanced, a name of `submissions.balancing.METHODS`.
        quota: images of each camera within the unaltered and within the manipulated; None for equal shares.
    """
    members = {member: _by_file_name(predicted) for member, predicted in load_members(run, "test").items()}
    if not members:
        raise InputError(f"the data {run.data} has no test folder, so there is nothing to submit")
    some = next(iter(members.values()))
    probabilities = blend(np.stack([answer(predicted, kind) for predicted in members.values()]), kind)
    quotas = None
    if method != "none":
        classes = len(run.classes)
        quotas = np.full((2, classes), quota) if quota else equal_quotas_within(some.is_manipulated, classes)
    labels = np.array(run.classes)[assign_within(probabilities, some.is_manipulated, quotas, method)]
    write_submission(some.names.tolist(), labels.tolist(), path, run.classes, read_expected_names(run.data))
    return pd.DataFrame({"fname": some.names, "camera": labels, "is_manipulated": some.is_manipulated})


def has_test(run: Run) -> bool:
    """Whether the data of a run has a test set."""
    return bool((run.manifest["split"] == "test").any())


def load_members(run: Run, split: str, target: str = CAMERA) -> dict[str, Predictions]:
    """Predictions of the members that have some, checked against the manifest.

    Raises `InputError` for a question that the run's networks were not asked.
    """
    classes = run.targets.heads | run.targets.answers
    if target not in classes:
        raise InputError(
            f"the run {run.folder} was trained on {', '.join(classes)}, not on {target}; train with another --task"
        )
    table = images(run).get(split)
    if table is None:
        return {}
    paths = {member: run.predictions(member, split, target) for member in run.recipes}
    members = {member: load(path) for member, path in paths.items() if path.exists()}
    for predicted in members.values():
        check_matches(predicted, table["path"].tolist(), classes[target])
    return members


def _by_file_name(predicted: Predictions) -> Predictions:
    """Test predictions under the names that submissions and solutions use."""
    names = np.array([Path(name).name for name in predicted.names], dtype=np.str_)
    return replace(predicted, names=names)
