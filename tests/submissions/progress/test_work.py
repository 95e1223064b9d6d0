"""Stages of a member are what is left to do, in seconds; finished ones are counted by the last state of its process."""

import pandas as pd
import pytest

from competition.utils.progress import State
from models.presets import classifier_recipe
from submissions.progress import work
from submissions.progress.work import (
    START,
    Stage,
    Times,
    duration,
    finished_seconds,
    is_measured,
    seconds,
    slowdown,
    stages_left,
    total_duration,
)
from submissions.run import FRONT_END, Run
from submissions.tasks import Task

STAGES = (Stage(START, "starting", 20), Stage("members/a", "training", 60), Stage("a, test", "predicting test", 20))


@pytest.fixture
def run(make_run, monkeypatch) -> Run:
    """12 training photos and 30 test images; resnet50 behind the shared front end of `smoke`; nothing is trained."""
    monkeypatch.setattr(work, "TIMES", {"resnet50": Times(10, 2, 1), "dctnet": Times(1, 0.5, 0.25)})
    made = make_run(Task("camera"), members=("resnet50",), test=30)
    for path in made.folder.glob("predictions/*/*.npz"):
        path.unlink()
    recipes = {"resnet50": classifier_recipe("smoke", "resnet50")}
    return Run(made.folder, made.data, recipes, 0, Task("camera"))


def test_stages_of_a_member_behind_a_shared_front_end(run):
    recipe, megapixels = run.recipes["resnet50"], 32 * 32 / 1e6
    assert (recipe.patches.size, recipe.epochs, recipe.views) == (32, 1, 8)
    stages = {stage.title: stage.seconds for stage in stages_left(run, "resnet50")}
    # The features of the front end alone are computed once for all members, not by this one.
    assert list(stages) == [START, "resnet50/front_end", "members/resnet50", "resnet50, validation", "resnet50, test"]
    assert stages[START] == 10
    assert stages["members/resnet50"] == pytest.approx(12 * megapixels * 2)
    assert stages["resnet50, validation"] == pytest.approx(12 * 8 * megapixels)
    assert stages["resnet50, test"] == pytest.approx(30 * 8 * megapixels)


def test_stages_of_the_front_end(run):
    titles = [stage.title for stage in stages_left(run, FRONT_END)]
    assert titles == [START, "features of patches", "made/front_end", "front_end, validation", "front_end, test"]


def test_finished_stages_are_left_out(run):
    folder = run.member_folder("resnet50")
    (folder / FRONT_END).mkdir(parents=True)
    (folder / FRONT_END / "model.keras").touch()
    pd.DataFrame({"epoch": [-1], "val_loss": [1.0]}).to_csv(folder / "history.csv", index=False)
    titles = [stage.title for stage in stages_left(run, "resnet50")]
    assert titles == [START, "members/resnet50", "resnet50, validation", "resnet50, test"]
    (folder / "model.keras").touch()
    for split in ("validation", "test"):
        run.predictions_file("resnet50", split).touch()
    assert stages_left(run, "resnet50") == ()


@pytest.mark.parametrize(
    ("state", "finished"),
    [
        (None, 0),
        (State(START, 0, 0, ""), 0),
        (State("members/a", 0, 4, "step"), 0),  # the first step, with tracing, is a part of the start
        (State("members/a", 1, 4, "step"), 20 + 15),
        (State("a, test", 0, 8, "batch"), 80),
        (State("a, test", 4, 8, "batch"), 90),
        (State("another", 4, 8, "batch"), 0),
    ],
)
def test_finished_seconds_follow_the_state(state, finished):
    assert finished_seconds(STAGES, state) == finished


def test_members_are_scheduled_on_the_processes_that_are_free():
    assert duration([], [40, 30, 20, 10], processes=2) == 50
    assert duration([5, 25], [30, 10], processes=2) == 35
    assert duration([], [7], processes=4) == 7
    assert duration([], [], processes=2) == 0


def test_slowdown_begins_at_one_and_follows_this_machine():
    assert slowdown(0, 0) == 1
    assert slowdown(20, 10) == pytest.approx(8 / 7)
    assert slowdown(20_000, 10_000) == pytest.approx(2, abs=0.01)


def test_runs_of_measured_members_have_an_expected_time(run):
    assert is_measured(run)
    assert total_duration(run, 2) == pytest.approx(
        seconds(stages_left(run, FRONT_END)) + seconds(stages_left(run, "resnet50"))
    )
    other = {"mobilenet": classifier_recipe("smoke", "mobilenet")}
    pixels = {"resnet50": classifier_recipe("smoke", "resnet50", front_end="none")}
    for recipes in (other, pixels):
        assert not is_measured(Run(run.folder, run.data, recipes, 0))
    assert stages_left(Run(run.folder, run.data, other, 0), "mobilenet")[0] == Stage(START, "starting", 5.5)  # the mean
