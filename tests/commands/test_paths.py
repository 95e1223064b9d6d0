import argparse
import os
from pathlib import Path

import pytest

from commands.paths import (
    check_output_folder,
    new_run,
    newest_camera_run,
    output_file,
    output_folder,
    run_folder,
)
from competition.utils.errors import InputError


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "job").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    (tmp_path / "file").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("job", "runs/job"),
        ("runs/job", "runs/job"),
        ("here", "here"),  # a folder that exists is meant itself
        ("absent", "runs/absent"),
        ("elsewhere/job", "elsewhere/job"),
    ],
)
def test_a_run_is_given_by_its_folder_or_its_name(text, folder, home):
    assert run_folder(text) == Path(folder)
    assert run_folder(str(home / "runs" / "job")) == home / "runs" / "job"


def test_the_newest_run_on_cameras_is_the_one_scored_last(home):
    with pytest.raises(InputError, match=r"no trained run that predicts cameras; train one on photos .* dctnet --data"):
        newest_camera_run()
    for time, name in enumerate(("job", "last", "first")):
        (home / "runs" / name).mkdir(exist_ok=True)
        (home / "runs" / name / "leaderboard.csv").touch()
        os.utime(home / "runs" / name / "leaderboard.csv", (time % 2, time % 2))
    (home / "runs" / "settings").mkdir()
    (home / "runs" / "settings" / "settings_leaderboard.csv").touch()
    assert newest_camera_run() == Path("runs/last")


@pytest.mark.parametrize("text", ["new", "runs/new", "runs/new/", "./new"])
def test_a_new_run_is_given_by_its_name(text):
    assert new_run(text) == "new"


@pytest.mark.parametrize("text", ["../x", "a/b", "/tmp/x", "runs/../x", "..", ".", "", "runs/a/b", ".hidden", "runs"])
def test_names_that_leave_the_folder_of_runs_are_rejected(text):
    with pytest.raises(argparse.ArgumentTypeError, match="expected a name without slashes, such as"):
        new_run(text)


@pytest.mark.parametrize("text", ["new.csv", "new/folder/x.csv", "file"])
def test_files_in_folders_that_can_be_made_are_outputs(text, home):
    assert output_file(text) == Path(text)


@pytest.mark.parametrize(
    ("convert", "text", "message"),
    [
        (output_file, "here", "here is a folder, expected a file; give another path"),
        (output_file, "file/x.csv", "file/x.csv cannot be written, because file is a file"),
        (output_folder, "file", "file cannot be written, because file is a file"),
        (output_folder, "file/a/b", "file/a/b cannot be written, because file is a file"),
    ],
)
def test_outputs_that_cannot_be_written_are_rejected(convert, text, message, home):
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        convert(text)


def test_outputs_without_permission_are_rejected(home, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root has all permissions
    with pytest.raises(argparse.ArgumentTypeError, match="new/x cannot be written: no permission for new"):
        (home / "new").mkdir()
        output_folder("new/x")
    with pytest.raises(InputError, match=r"runs cannot be written: no permission .* correct its permissions"):
        check_output_folder(Path("runs"))
