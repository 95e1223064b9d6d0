"""A run is scored on all of its tasks, on validation and, with a solution, on the test set."""

import json

import pandas as pd
import pytest

from submissions.leaderboards.camera import format_table
from submissions.leaderboards.score import camera_accuracies, score_camera, score_run
from submissions.leaderboards.settings import format_settings, score_settings
from submissions.tasks import Task


def write_solution(run, usages):
    solution = pd.DataFrame(
        {"fname": [f"{number}_unalt.tif" for number in range(6)], "camera": list("ababab"), "manipulation": "unaltered"}
    )
    (solution if usages is None else solution.assign(usage=usages)).to_csv(run.data / "solution.csv", index=False)


@pytest.mark.parametrize("task", ["camera", "settings", "camera,settings"])
def test_score_run_shows_the_leaderboard_of_every_task(make_run, task):
    run = make_run(Task(task))
    text = score_run(run)
    assert (format_table(score_camera(run)) in text) if "camera" in task else not (run.folder / "scores.json").exists()
    assert ("balanced accuracy" in text) == ("settings" in task)
    if "settings" in task:
        assert text.endswith(format_settings(score_settings(run)))


def test_score_camera_writes_scores_and_leaderboard(make_run):
    run = make_run(Task("camera"))
    table = score_camera(run)
    pd.testing.assert_frame_equal(
        pd.read_csv(run.folder / "leaderboard.csv"), table, check_dtype=False, check_exact=False
    )
    scores = json.loads((run.folder / "scores.json").read_text())
    blend = table.set_index("entry").loc["blend quadratic"]
    assert scores["blend"]["validation"]["weighted_accuracy"] == pytest.approx(blend["weighted_accuracy"])


@pytest.mark.parametrize(("usages", "private"), [(["Private"] * 4 + ["Public"] * 2, 4), (None, 6)])
def test_solution_adds_private_scores_of_all_images_that_are_not_public(make_run, usages, private):
    run = make_run(Task("camera"), test=6)
    write_solution(run, usages)
    table = score_camera(run)
    assert table["private_weighted_accuracy"].notna().all()
    assert table["public_weighted_accuracy"].notna().any() == (usages is not None)
    scores = json.loads((run.folder / "scores.json").read_text())
    assert scores["blend"]["private"]["images"] == private


def test_camera_accuracies_have_a_row_per_camera_and_a_column_per_manipulation(make_run):
    table = camera_accuracies(make_run(Task("camera"), manipulated=True))
    assert table.index.tolist() == ["a", "b"] and sorted(table.columns) == ["jpeg70", "unaltered"]
    assert table.to_numpy().min() >= 0 and table.to_numpy().max() <= 1
