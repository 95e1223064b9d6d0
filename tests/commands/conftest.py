import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.__main__ import main

MAIN_JOB = ["train", "ensemble", "--members", "dctnet,mobilenet", "--preset", "smoke", "--data", "photos"]
MAIN_JOB += ["--run", "job", "--jobs", "1"]


def run_command(*arguments: object) -> int:
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as error:  # from the parser
        return int(error.code or 0)


@pytest.fixture
def command() -> Callable[..., int]:
    """A function that runs one command in this process and returns its exit code."""
    return run_command


@pytest.fixture(scope="session")
def main_job() -> list[str]:
    """The arguments of the command that made `finished`."""
    return MAIN_JOB


@pytest.fixture(scope="session")
def finished(photo_folder, shrink_mobilenet, tmp_path_factory):
    """A folder with `photos` and the finished run `runs/job`: a small main job. Tests must not change it.

    The processes of pytest-xdist share it: the first one that needs it makes it.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    home, made = shared / "finished", shared / "finished.made"
    with (shared / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(home, ignore_errors=True)  # of a process that failed
            _run_main_job(home, photo_folder, shrink_mobilenet)
            made.touch()
    return home


def _run_main_job(home: Path, photo_folder, shrink_mobilenet) -> None:
    photos = photo_folder(home / "photos", test=2)
    damaged = photos / "train" / "cat"
    (damaged / "page.jpg").write_text("<html>not found</html>")
    (damaged / "short.jpg").write_bytes((damaged / "0.jpg").read_bytes()[:1000])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        shrink_mobilenet(patch)
        assert run_command(*MAIN_JOB) == 0


@pytest.fixture(scope="session")
def copy_finished(finished):
    """A function that copies `finished` to a new folder."""

    def copy(folder: Path) -> Path:
        shutil.copytree(finished, folder)
        config = folder / "runs" / "job" / "config.json"
        config.write_text(config.read_text().replace(str(finished), str(folder)))
        return folder

    return copy


@pytest.fixture
def home(copy_finished, tmp_path, monkeypatch) -> Path:
    """A copy of `finished`, as the working directory."""
    folder: Path = copy_finished(tmp_path / "home")
    monkeypatch.chdir(folder)
    return folder


def contents(folder):
    """The files below `folder` with their bytes, and the folders with None."""
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


@pytest.fixture
def error_of(command, capsys):
    """A function that runs a command and returns its error: one line, exit code 2, and nothing written.

    Run it in a small folder, because it compares all files before and after the command.
    """

    def run(*arguments):
        before = contents(Path())
        assert command(*arguments) == 2
        printed = capsys.readouterr()
        lines = [line for line in printed.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1
        assert printed.err.endswith(lines[0] + "\n")
        assert "Traceback" not in printed.err + printed.out
        assert contents(Path()) == before
        return lines[0]

    return run
