"""Command `shakeup`: prints a simulation of public and private leaderboards."""

import json
import shutil

import pandas as pd
import pytest

ENTRIES = [
    "dctnet",
    "dctnet+tta",
    "mobilenet",
    "mobilenet+tta",
    "blend arithmetic",
    "blend quadratic",
    "blend geometric",
    "blend quadratic, greedy",
    "blend quadratic, exact",
    "blend optimized",
    "blend selection",
    "blend stacking",
]


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_ranks_chances_and_selection_are_printed_and_nothing_is_written(home, command, capsys):
    before = files(home)
    assert command("shakeup", "runs/job", "--draws", 100) == 0
    output = capsys.readouterr().out
    assert all(entry in output for entry in ENTRIES)
    assert "change of rank" in output and "chance that an entry" in output and "select: " in output
    assert files(home) == before


def test_table_of_several_runs_is_written(home, command, capsys):
    shutil.copytree(home / "runs" / "job", home / "runs" / "again")
    assert command("shakeup", "runs/job", "runs/again", "--draws", 50, "--out", "shakeup.csv") == 0
    table = pd.read_csv(home / "shakeup.csv")
    names = [f"{run}: {entry}" for run in ("job", "again") for entry in ENTRIES]
    assert sorted(table["entry"]) == sorted(names)
    columns = ["entry", "weighted_accuracy", "public_rank", "private_rank", "rank_change", "selected"]
    assert list(table.columns) == columns + [f"beats {name}" for name in names]
    assert table["selected"].sum() == 2
    assert capsys.readouterr().out.endswith("shakeup.csv: 24 entries\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: RUN"),
        (["runs/absent"], "unknown run 'runs/absent'; known: runs/job"),
        (["runs/job", "runs/job"], "two runs are called job; name each run once"),
        (["runs/job", "--draws", "0"], "--draws: received '0', expected a whole number of at least 1"),
    ],
)
def test_invalid_arguments_are_rejected(arguments, message, home, error_of):
    assert message in error_of("shakeup", *arguments)


def test_runs_on_other_data_are_rejected(home, error_of):
    shutil.copytree(home / "runs" / "job", home / "runs" / "other")
    config = home / "runs" / "other" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"data": str(home / "pictures")}))
    assert "runs/job and runs/other are validated on different images; choose" in error_of(
        "shakeup", "runs/job", "runs/other"
    )


def test_run_without_predictions_is_rejected(home, error_of):
    for path in home.glob("runs/job/predictions/*/validation.npz"):
        path.unlink()
    assert "no predictions to score; run predict first" in error_of("shakeup", "runs/job")
