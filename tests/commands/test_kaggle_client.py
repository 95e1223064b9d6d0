"""A submission is handed to the kaggle client, or its command is printed. The clients here are shell scripts."""

from pathlib import Path

import pytest

from commands import kaggle_client
from competition.utils.errors import InputError


@pytest.fixture
def client(tmp_path, monkeypatch):
    """A function that installs a client which writes its arguments to `arguments`, prints, and exits with a status."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kaggle_client.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", "/nonexistent")

    def install(status: int) -> Path:
        script = tmp_path / "kaggle"
        script.write_text(f'#!/bin/sh\nfor word in "$@"; do echo "$word"; done > arguments\necho 401\nexit {status}\n')
        script.chmod(0o755)
        return tmp_path / "arguments"

    return install


def test_the_client_gets_competition_file_and_message(client, capfd):
    arguments = client(status=0)
    kaggle_client.submit_to_kaggle(Path("my runs/s.csv"), "blend of 4; don't panic")
    assert arguments.read_text().splitlines() == [
        *("competitions", "submit", "sp-society-camera-model-identification"),
        *("-f", "my runs/s.csv", "-m", "blend of 4; don't panic"),
    ]
    assert capfd.readouterr().out == "submitting to sp-society-camera-model-identification:\n401\n"


def test_a_client_that_fails_is_an_error_after_its_message(client, capfd):
    client(status=3)
    with pytest.raises(InputError, match="failed with status 3; see its message above"):
        kaggle_client.submit_to_kaggle(Path("s.csv"), "m")
    assert "401" in capfd.readouterr().out


def test_without_a_client_the_command_is_printed(client, capfd):
    kaggle_client.submit_to_kaggle(Path("my runs/s.csv"), "blend of 4; don't panic")
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith("not submitted: the kaggle client is not installed")
    assert lines[1] == (
        "kaggle competitions submit sp-society-camera-model-identification -f 'my runs/s.csv' "
        "-m 'blend of 4; don'\"'\"'t panic'"
    )


def test_submit_hands_over_the_file_it_has_checked(home, command, client, capfd, monkeypatch):
    arguments = client(status=0)
    monkeypatch.chdir(home)
    assert command("submit", "runs/job", "--out", "mine.csv", "--kaggle", "first") == 0
    assert (home / "arguments").read_text().splitlines()[3:] == ["-f", "mine.csv", "-m", "first"]
    assert command("submit", "runs/job", "--check", "mine.csv", "--kaggle", "second") == 0
    assert (home / "arguments").read_text().splitlines()[3:] == ["-f", "mine.csv", "-m", "second"]
    (home / "arguments").unlink()
    (home / "mine.csv").write_text("fname,camera\n")
    assert command("submit", "runs/job", "--check", "mine.csv", "--kaggle", "third") == 2
    assert not (home / "arguments").exists()
    assert command("submit", "runs/job", "--out", "other.csv") == 0
    assert not (home / "arguments").exists()
    assert not arguments.exists()


def test_a_simulated_test_set_is_not_submitted(home, error_of):
    (home / "photos" / "virtual.json").write_text("{}")
    assert "is simulated, Kaggle would reject it; remove --kaggle" in error_of("submit", "runs/job", "--kaggle", "m")
