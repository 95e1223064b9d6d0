"""A command whose output another process uses is refused in one line, before a framework is loaded."""

from pathlib import Path

import pytest

from competition.utils.locks import lock_file, lock_folder

DATA = ("--data", "photos", "--preset", "smoke", "--jobs", 1)


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


def test_folder_in_place_of_an_output_file_is_rejected_before_predicting(home, error_of, no_framework):
    (home / "answers").mkdir()
    assert "answers is a folder, expected the name of a file" in error_of(
        "predict", "runs/job", "photos", "--out", "answers"
    )
    assert list(Path("answers").iterdir()) == []
