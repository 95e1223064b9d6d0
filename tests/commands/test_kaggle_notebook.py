"""The commands of docs/kaggle.ipynb, in their order: all of them parse, and those behind the training run."""

import json
import shlex
from pathlib import Path

import pytest

from commands.__main__ import make_parser

NOTEBOOK = Path(__file__).parents[2] / "docs" / "kaggle.ipynb"
COMMAND = "!python -m commands "


@pytest.fixture
def calls():
    """The words of each command of the notebook."""
    cells = [cell["source"] for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    lines = "\n".join("".join(source) for source in cells).splitlines()
    return [shlex.split(line.removeprefix(COMMAND)) for line in lines if line.startswith(COMMAND)]


def test_every_command_of_the_notebook_parses(calls):
    assert [call[0] for call in calls] == ["info", "doctor", "prepare", "train", "submit", "submit"]
    for call in calls:
        make_parser().parse_args(call)


def test_each_command_reads_what_the_one_before_wrote(calls):
    _, doctor, prepare, train, submit, check = calls
    assert doctor[1] == prepare[1] == "$DATA"
    assert prepare[prepare.index("--out") + 1] == train[train.index("--data") + 1]
    assert f"runs/{train[train.index('--run') + 1]}" == submit[1] == check[1]
    assert submit[submit.index("--out") + 1] == check[check.index("--check") + 1]


def test_commands_behind_the_training_submit_a_run(calls, home, command, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")  # no client of Kaggle
    for call in calls[-2:]:
        assert command(*(word.replace("runs/kaggle", "runs/job") for word in call)) == 0
    assert "kaggle competitions submit" in capsys.readouterr().out
    assert len(Path("submission.csv").read_text().splitlines()) == 13
