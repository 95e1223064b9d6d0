"""`train exif-language` passes its options on, prints the best epoch, and rejects invalid options before training."""

import argparse
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from commands.exif_language import repeat_exif_language, run_exif_language
from competition.utils.atomic_files import write_json
from competition.utils.errors import InputError
from models.presets import dual_encoder_recipe
from submissions import exif_language
from submissions.run_config import FORMAT_VERSION, as_json
from submissions.splices import calibrate


def arguments(data, **given):
    names = ("what", "config", "preset", "run", "backbone", "epochs", "patch", "batch", "learning_rate")
    return argparse.Namespace(
        **{**dict.fromkeys(names), "data": data, "seed": 2, "jobs": 1, "words": ["train"], **given}
    )


@pytest.fixture
def trainings(monkeypatch, tmp_path):
    """The arguments of trainings, which are replaced by a made-up history. `photos` are the data."""
    calls = []
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos" / "train" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "train" / "cat" / "0.jpg").touch()

    def train(*arguments):
        calls.append(arguments)
        shares = {f"{name}_{k}": k / 10 for name in ("image_to_text", "text_to_image", "chance") for k in (1, 5, 10)}
        return pd.DataFrame([{"epoch": epoch, "val_loss": abs(epoch - 1), **shares} for epoch in range(3)])

    monkeypatch.setattr(exif_language, "start_exif_run", lambda *arguments: None)
    monkeypatch.setattr(exif_language, "train_exif_language", train)
    monkeypatch.setattr(calibrate, "calibrate_run", lambda folder, data: None)
    return calls


PHOTOS = Path("photos")


def test_options_are_passed_on(trainings, capsys):
    run_exif_language(arguments(PHOTOS, preset="smoke", backbone="convnet", epochs=4))
    folder = Path("runs") / "exif-language-convnet-smoke-photos"
    recipe = dual_encoder_recipe("smoke", "convnet", epochs=4)
    assert trainings == [(folder, PHOTOS, recipe, 2, 1)]
    assert "3 epochs, the best is 1" in (folder / "log.txt").read_text()
    output = capsys.readouterr().out
    assert "3 epochs, the best is 1" in output and "text to image  recall 0.100 at 1, 0.500 at 5, 1.000 at 10" in output


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"preset": "full"}, "unknown preset 'full'; known: paper, quick, smoke"),
        ({"backbone": "resnet51"}, "unknown backbone 'resnet51'; known: resnet50"),
        ({"data": Path("nowhere")}, "nowhere does not exist"),
    ],
)
def test_invalid_options_are_rejected(trainings, given, message):
    with pytest.raises(InputError, match=message):
        run_exif_language(arguments(**{"data": PHOTOS, **given}))
    assert not trainings


def test_a_run_is_repeated_from_its_configuration(trainings, tmp_path):
    recipe = dual_encoder_recipe("smoke", epochs=7)
    run = tmp_path / "runs" / "old"
    config = {"format_version": FORMAT_VERSION, "kind": "exif-language", "data": str(tmp_path / "photos"), "seed": 5}
    write_json({**config, "recipe": as_json(asdict(recipe))}, run / "config.json")
    given = {"config": run / "config.json", "seed": None}
    repeat_exif_language(arguments(None, **given))
    repeat_exif_language(arguments(PHOTOS, **{**given, "run": "new", "seed": 1}))
    assert trainings == [
        (Path("runs/old-again"), tmp_path / "photos", recipe, 5, 1),
        (Path("runs/new"), PHOTOS, recipe, 1, 1),
    ]
    with pytest.raises(InputError, match="only --data, --run and --seed apply; leave out epochs"):
        repeat_exif_language(arguments(None, **given, epochs=1))


@pytest.mark.parametrize("option", [("--bins", 3), ("--members", "convnet"), ("--tau", 0), ("--task", "camera")])
def test_options_of_classifiers_are_rejected(option, trainings, error_of):
    error = error_of("train", "exif-language", *option)
    assert error.startswith(f"error: {option[0]} does not apply to exif-language; remove the option")
    assert not trainings
