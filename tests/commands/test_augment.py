"""`train --augment`: the pipeline becomes a part of the run, and wrong files are found before anything is written."""

import json
from pathlib import Path

import pytest

from augment.pipelines import read_pipeline

TRAIN = ("train", "dctnet", "--preset", "smoke", "--data", "photos", "--jobs", "1")


@pytest.fixture
def photos(photo_folder, tmp_path, monkeypatch):
    """A working directory with `photos` that are large enough for pipelines."""
    monkeypatch.chdir(tmp_path)
    return photo_folder(tmp_path / "photos", side=144)


def test_run_keeps_the_pipeline_and_has_a_name_of_its_own(photos, command, error_of, untraced):
    assert command(*TRAIN, "--augment", "social-media") == 0
    run = Path("runs/dctnet-social-media-smoke-photos")
    patches = json.loads((run / "config.json").read_text())["recipes"]["dctnet"]["patches"]
    assert patches["augment"] == read_pipeline("social-media")
    assert (run / "members" / "dctnet" / "model.keras").is_file()
    message = error_of(*TRAIN, "--augment", "camera-phone", "--run", run.name)
    assert "was made with other settings: recipes.dctnet.patches.augment" in message and len(message) < 500


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist; packaged pipelines: camera-phone, social-media"),
        ("transform: !!python/object/apply:os.system ['touch hacked']", "cannot be read"),
        ('{"transform": {"__class_fullname__": "os.system", "p": 1.0}}', "which a pipeline cannot use"),
        (
            '{"transform": {"__class_fullname__": "ToFloat", "p": 1.0}}',
            "the pipeline of --augment returns float32",
        ),
    ],
)
def test_wrong_files_are_one_line_of_error_before_any_work(content, message, photos, error_of, monkeypatch):
    if content is not None:
        Path("pipeline.yaml").write_text(content)
    monkeypatch.setattr("commands.train.load_framework", lambda: pytest.fail("loaded a framework"))
    assert message in error_of(*TRAIN, "--augment", "pipeline.yaml")


def test_photos_must_be_larger_than_the_sources_of_patches(photo_folder, tmp_path, monkeypatch, error_of):
    monkeypatch.chdir(tmp_path)
    photo_folder(tmp_path / "photos", side=128)
    message = error_of(*TRAIN, "--augment", "social-media")
    assert "photo(s) are smaller than 136 pixels, the first is train/cat/0.jpg" in message


def test_pipelines_are_for_patches_only(photos, error_of):
    message = error_of(*TRAIN, "--augment", "social-media", "--input", "squash")
    assert "--augment needs the input patch, received --input squash" in message
    assert "--augment does not apply to exif-language" in error_of(
        "train", "exif-language", "--augment", "social-media"
    )
