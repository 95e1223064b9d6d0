"""`train exif-language` passes its options on, prints the best epoch, and rejects invalid options before training."""

import argparse
from pathlib import Path

import pandas as pd
import pytest

from commands.exif_language import run_exif_language
from competition.utils.errors import InputError
from submissions import exif_language


def arguments(data, **given):
    names = ("preset", "run", "backbone", "epochs", "patch", "batch", "learning_rate")
    return argparse.Namespace(**{**dict.fromkeys(names), "data": data, "seed": 2, "jobs": 1, **given})


@pytest.fixture
def trainings(monkeypatch):
    """The arguments of trainings, which are replaced by a made-up history."""
    calls = []

    def train(*arguments, **changes):
        calls.append((arguments, changes))
        shares = {f"{name}_{k}": k / 10 for name in ("image_to_text", "text_to_image", "chance") for k in (1, 5, 10)}
        return pd.DataFrame([{"epoch": epoch, "val_loss": abs(epoch - 1), **shares} for epoch in range(3)])

    monkeypatch.setattr(exif_language, "train_exif_language", train)
    return calls


def test_options_are_passed_on(trainings, tmp_path, capsys):
    run_exif_language(arguments(tmp_path, preset="smoke", backbone="convnet", epochs=4))
    folder = Path("runs") / f"exif-language-convnet-smoke-{tmp_path.name}"
    changes = {"epochs": 4, "patch": None, "batch": None, "learning_rate": None}
    assert trainings == [((folder, tmp_path, "smoke", "convnet", 2, 1), changes)]
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
def test_invalid_options_are_rejected(trainings, tmp_path, given, message):
    with pytest.raises(InputError, match=message):
        run_exif_language(arguments(**{"data": tmp_path, **given}))
    assert not trainings


@pytest.mark.parametrize("option", [("--bins", 3), ("--members", "convnet"), ("--tau", 0), ("--task", "camera")])
def test_options_of_classifiers_are_rejected(option, trainings, error_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = error_of("train", "exif-language", *option)
    assert error.startswith(f"error: {option[0]} does not apply to exif-language; remove the option")
    assert not trainings
