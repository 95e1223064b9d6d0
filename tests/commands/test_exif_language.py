"""The command hands on what was asked, tells what was measured, and refuses before anything slow begins."""

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
def asked(monkeypatch):
    """What was asked of the training, in the place of which stands a history."""
    calls = []

    def train(*words, **changes):
        calls.append((words, changes))
        shares = {f"{name}_{k}": k / 10 for name in ("image_to_text", "text_to_image", "chance") for k in (1, 5, 10)}
        return pd.DataFrame([{"epoch": epoch, "val_loss": abs(epoch - 1), **shares} for epoch in range(3)])

    monkeypatch.setattr(exif_language, "train_exif_language", train)
    return calls


def test_what_was_asked_is_handed_on(asked, tmp_path, capsys):
    run_exif_language(arguments(tmp_path, preset="smoke", backbone="convnet", epochs=4))
    folder = Path("runs") / f"exif-language-convnet-smoke-{tmp_path.name}"
    changes = {"epochs": 4, "patch": None, "batch": None, "learning_rate": None}
    assert asked == [((folder, tmp_path, "smoke", "convnet", 2, 1), changes)]
    told = capsys.readouterr().out
    assert "3 epochs, the best is 1" in told and "text to image  recall 0.100 at 1, 0.500 at 5, 1.000 at 10" in told


@pytest.mark.parametrize(
    "given, message",
    [
        ({"preset": "full"}, "no preset full; give one of paper, quick, smoke"),
        ({"backbone": "resnet51"}, "unknown backbone resnet51; known: resnet50"),
        ({"data": Path("nowhere")}, "nowhere does not exist"),
    ],
)
def test_what_is_not_known_is_refused(asked, tmp_path, given, message):
    with pytest.raises(InputError, match=message):
        run_exif_language(arguments(**{"data": tmp_path, **given}))
    assert not asked


@pytest.mark.parametrize("words", [("--bins", 3), ("--members", "convnet"), ("--tau", 0)])
def test_options_that_it_has_no_use_for_are_refused(words, asked, refused):
    assert f"error: {words[0]} is not of exif-language; leave it out" in refused("train", "exif-language", *words)
    assert not asked
