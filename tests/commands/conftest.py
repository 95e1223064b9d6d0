import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.__main__ import main

MAIN_JOB = [
    "train",
    "ensemble",
    "--members",
    "convnet,mobilenet",
    "--preset",
    "smoke",
    "--data",
    "photos",
    "--run",
    "job",
    "--jobs",
    "1",
]


def give(*words: object) -> int:
    """The exit code of `./run.sh …`."""
    try:
        return main([str(word) for word in words])
    except SystemExit as error:  # from the parser
        return int(error.code or 0)


@pytest.fixture
def command() -> Callable[..., int]:
    """Gives one command, in this process; returns its exit code."""
    return give


@pytest.fixture(scope="session")
def main_job() -> list[str]:
    """The words of the command that `finished` was made by."""
    return MAIN_JOB


@pytest.fixture(scope="session")
def finished(photo_folder, shrink_mobilenet, tmp_path_factory):
    """A folder with `photos` and the finished run `runs/job`: the main job in small, and not to be changed."""
    home = tmp_path_factory.mktemp("home")
    photos = photo_folder(home / "photos", test=2)
    broken = photos / "train" / "cat"
    (broken / "page.jpg").write_text("<html>not found</html>")
    (broken / "short.jpg").write_bytes((broken / "0.jpg").read_bytes()[:1000])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        shrink_mobilenet(patch)
        assert give(*MAIN_JOB) == 0
    return home


@pytest.fixture
def home(finished, tmp_path, monkeypatch) -> Path:
    """A copy of what `finished` made, as the working directory."""
    folder = tmp_path / "home"
    shutil.copytree(finished, folder)
    config = folder / "runs" / "job" / "config.json"
    config.write_text(config.read_text().replace(str(finished), str(folder)))
    monkeypatch.chdir(folder)
    return folder


def everything(folder):
    """Every file below `folder` with its bytes, and every folder."""
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


@pytest.fixture
def refused(command, capsys):
    """Gives a command that must fail with one line and exit code 2, and write nothing; returns its error."""

    def give(*words):
        before = everything(Path())
        assert command(*words) == 2
        told = capsys.readouterr()
        lines = [line for line in told.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1
        assert told.err.endswith(lines[0] + "\n")
        assert "Traceback" not in told.err + told.out
        assert everything(Path()) == before
        return lines[0]

    return give
