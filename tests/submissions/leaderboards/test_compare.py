"""All runs side by side, whatever they were asked."""

import pandas as pd
import pytest

from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from submissions.leaderboards.camera import COLUMNS, NUMBERS
from submissions.leaderboards.compare import compare_all, compare_settings

SCORES = {"aperture": 0.5, "iso": 0.75, "exposure_time": 0.4}


def settings_board(folder, scores=SCORES, entry="stem"):
    rows = [
        {"entry": entry, "setting": name, "balanced_accuracy": score, "random": 1 / 3, "note": "simulated"}
        for name, score in scores.items()
    ]
    write_csv(pd.DataFrame(rows), folder / "settings_leaderboard.csv")


def camera_board(folder):
    row = {"run": "old name", "entry": "mobilenet", **dict.fromkeys(NUMBERS, 0.5), "images": 8, "note": ""}
    write_csv(pd.DataFrame([row])[COLUMNS], folder / "leaderboard.csv")


def test_runs_of_cameras_and_of_settings_are_listed_each_with_its_kind(tmp_path):
    camera_board(tmp_path / "cameras")
    settings_board(tmp_path / "settings")
    camera_board(tmp_path / "both")
    settings_board(tmp_path / "both")
    cameras, _, settings = compare_all(tmp_path).partition("\n\n")
    assert "cameras" in cameras and "both" in cameras and "settings" not in cameras
    assert "settings  stem      0.500  0.750          0.400  0.550   0.333" in settings.splitlines()
    assert "both" in settings and "cameras" not in settings
    assert settings.count("note: simulated") == 1


def test_runs_of_settings_alone_are_enough(tmp_path):
    settings_board(tmp_path / "one")
    told = compare_all(tmp_path).splitlines()
    assert told[0] == "settings, balanced accuracy:" and told[1].split()[:3] == ["run", "entry", "aperture"]


def test_settings_are_ranked_by_their_mean_and_one_that_lacks_a_head_has_none(tmp_path):
    settings_board(tmp_path / "a", dict.fromkeys(SCORES, 0.4))
    settings_board(tmp_path / "b", {"aperture": 0.9, "iso": 0.9})
    settings_board(tmp_path / "c")
    table = compare_settings(tmp_path)
    assert table["run"].tolist() == ["c", "a", "b"]
    assert table["mean"].tolist()[:2] == pytest.approx([0.55, 0.4])
    assert table.loc[2, ["exposure_time", "mean"]].isna().all()


def test_no_runs_and_damaged_boards_are_told(tmp_path):
    with pytest.raises(InputError, match="train first"):
        compare_all(tmp_path)
    settings_board(tmp_path / "bad", SCORES | {"iso": "high"})
    with pytest.raises(InputError, match=r"bad.settings_leaderboard\.csv holds no scores .*run leaderboard RUN again"):
        compare_all(tmp_path)
