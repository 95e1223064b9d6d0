"""All runs are compared, each on its own tasks."""

import pandas as pd
import pytest

from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from submissions.leaderboards.camera import COLUMNS, NUMBERS
from submissions.leaderboards.compare import compare_runs

SCORES = {"aperture": 0.5, "iso": 0.75, "exposure_time": 0.4}


def settings_board(folder, scores=SCORES, entry="resnet50"):
    rows = [
        {
            "split": "validation",
            "entry": entry,
            "setting": name,
            "balanced_accuracy": score,
            "random": 1 / 3,
            "note": "simulated",
        }
        for name, score in scores.items()
    ]
    write_csv(pd.DataFrame(rows), folder / "settings_leaderboard.csv")


def camera_board(folder):
    row = {"run": "old name", "entry": "mobilenet", **dict.fromkeys(NUMBERS, 0.5), "images": 8, "note": ""}
    write_csv(pd.DataFrame([row])[COLUMNS], folder / "leaderboard.csv")


def test_camera_and_settings_runs_are_listed_separately(tmp_path):
    camera_board(tmp_path / "cameras")
    settings_board(tmp_path / "settings")
    camera_board(tmp_path / "both")
    settings_board(tmp_path / "both")
    cameras, _, settings = compare_runs(tmp_path).partition("\n\n")
    assert "cameras" in cameras and "both" in cameras and "settings" not in cameras
    assert "settings  resnet50     0.500  0.750          0.400  0.550   0.333" in settings.splitlines()
    assert "both" in settings and "cameras" not in settings
    assert settings.count("note: simulated") == 1


def test_settings_runs_without_camera_runs_are_compared(tmp_path):
    settings_board(tmp_path / "one")
    lines = compare_runs(tmp_path).splitlines()
    assert lines[0] == "settings, balanced accuracy:" and lines[1].split()[:3] == ["run", "entry", "aperture"]


def test_missing_or_damaged_leaderboards_raise(tmp_path):
    with pytest.raises(InputError, match="train first"):
        compare_runs(tmp_path)
    settings_board(tmp_path / "bad", SCORES | {"iso": "high"})
    with pytest.raises(InputError, match=r"bad.settings_leaderboard\.csv has a score .*run predict RUN again"):
        compare_runs(tmp_path)
