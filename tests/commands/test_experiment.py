"""Command `experiment`: passes its options on and prints the table."""

import json
from pathlib import Path

import pandas as pd
import pytest

from submissions.experiments import run as run_module
from submissions.experiments.alterations import ALTERATIONS
from submissions.experiments.laurence_murphy import EXPERIMENTS


@pytest.fixture
def plans(photo_folder, monkeypatch, tmp_path):
    """Replaces the experiment and records its plans; the working directory has a folder of photos."""
    monkeypatch.chdir(tmp_path)
    photo_folder(Path("photos"), photos=1)
    plans = []

    def run_experiment(plan, jobs):
        plans.append((plan, jobs))
        plan.folder.mkdir(parents=True)
        (plan.folder / "table.md").write_text("# A table\n")
        (plan.folder / "table.csv").write_text("variant,measured\n2 bins,0.5\n")
        return [plan.folder / "table.md"]

    monkeypatch.setattr(run_module, "run_experiment", run_experiment)
    return plans


def test_options_are_passed_on(plans, command, capsys):
    options = ("--data", "photos", "--member", "resnet18", "--seeds", 3, "--epochs", 2, "--out", "out", "--jobs", 2)
    assert command("experiment", "bins", "--preset", "smoke", *options) == 0
    plan = run_module.Plan(EXPERIMENTS["bins"], Path("photos"), Path("out"), "smoke", "resnet18", 3, 2)
    assert plans == [(plan, 2)]
    output = capsys.readouterr().out
    assert "# A table" in output and "out/table.md" in output


def test_json_is_the_table_alone(plans, command, capsys):
    assert command("experiment", "bins", "--data", "photos", "--out", "out", "--json") == 0
    output, messages = capsys.readouterr()
    assert json.loads(output) == [{"variant": "2 bins", "measured": 0.5}]
    assert "# A table" in messages


@pytest.mark.parametrize(("preset", "member"), [("paper", "se_resnet18"), ("quick", "settingsnet")])
def test_default_member_depends_on_the_preset(preset, member, plans, command):
    assert command("experiment", "input", "--preset", preset, "--data", "photos") == 0
    assert plans[0][0].member == member
    assert plans[0][0].folder == Path(f"runs/experiment-input-{preset}")


def test_unknown_experiment_and_missing_data_raise(plans, error_of):
    assert "unknown experiment 'table-2'; known: loss-schedule" in error_of("experiment", "table-2")
    assert "nowhere does not exist" in error_of("experiment", "bins", "--data", "nowhere")


def test_robustness_of_a_run_is_measured_drawn_and_printed(home, command, capsys):
    assert command("experiment", "robustness", "runs/job", "--split", "test", "--out", "out", "--json") == 0
    assert {path.name for path in Path("out").iterdir()} == {"robustness.csv", "robustness.png", "robustness.svg"}
    table = pd.read_csv("out/robustness.csv")
    assert table["alteration"].unique().tolist() == ["original", *ALTERATIONS]
    assert set(table["images"]) == {6} and table["accuracy"].between(0, 1).all()
    rows, output = capsys.readouterr()
    assert [row["alteration"] for row in json.loads(rows)] == table["alteration"].tolist()
    assert "6 unaltered test images of photos, 3 cameras" in output and "out/robustness.png" in output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["robustness"], "compares one or two runs, received 0"),
        (["robustness", "a", "b", "c"], "compares one or two runs, received 3"),
        (["robustness", "nowhere"], "unknown run"),
        (["robustness", "a", "--preset", "quick"], "--preset does not apply to robustness"),
        (["bins", "runs/job"], "runs and --split only apply to robustness"),
        (["bins", "--split", "test"], "runs and --split only apply to robustness"),
    ],
)
def test_wrong_calls_of_robustness_are_one_line_of_error(words, message, error_of, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert message in error_of("experiment", *words)
