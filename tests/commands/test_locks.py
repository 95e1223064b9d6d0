"""A command whose output another process uses is refused in one line, before a framework is loaded."""

from pathlib import Path

import pytest

from competition.utils.locks import lock_file, lock_folder
from models.presets import classifier_recipe
from submissions.run import Run, start_run

RUN = Path("runs") / "job"
DATA = ("--data", "photos", "--preset", "smoke", "--jobs", 1)


@pytest.fixture
def home(photo_folder, tmp_path, monkeypatch):
    """A working directory with `photos`, and the run `runs/job` on them, which is not trained yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("submissions.run.environment", dict)
    photos = photo_folder(tmp_path / "photos")
    start_run(Run(RUN, photos, {"convnet": classifier_recipe("smoke", "convnet")}, 0), 1)
    return tmp_path


@pytest.fixture
def no_framework(monkeypatch):
    def fail():
        raise AssertionError("the framework was loaded")

    for command in ("train", "predict", "exif_language"):
        monkeypatch.setattr(f"commands.{command}.load_framework", fail)


@pytest.mark.parametrize(
    ("arguments", "lock", "output"),
    [
        (["train", "convnet", *DATA], lock_folder, "runs/convnet-smoke-photos"),
        (["train", "exif-language", *DATA], lock_folder, "runs/exif-language-smoke-photos"),
        (["predict", "runs/job"], lock_folder, "runs/job"),
        (["predict", "runs/job", "photos", "--out", "a.csv"], lock_file, "a.csv"),
        (["prepare", "photos", "--out", "prepared"], lock_folder, "prepared"),
        (["doctor", "photos", "--out", "doctor.csv"], lock_file, "doctor.csv"),
        (["virtual", "--size", "smoke", "--out", "made", "--jobs", 1], lock_folder, "made"),
        (["virtual", "--size", "smoke", "--splices", "--out", "made", "--jobs", 1], lock_folder, "made"),
        (["collect", "--list", "urls.csv", "--out", "collected"], lock_folder, "collected"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else None,
)
def test_second_command_is_refused(arguments, lock, output, home, error_of, no_framework):
    (home / "urls.csv").write_text("url,camera,licence\nhttp://127.0.0.1:9/a.jpg,a,own\n")
    with lock(output):
        assert error_of(*arguments).startswith(f"error: {output} is in use by process ")
    assert not list(home.rglob("*.lock"))
