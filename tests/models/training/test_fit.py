"""Training is resumable at any moment, stops when it must, and is done once."""

import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from augment.loaders import EvaluationPatches, TrainingPatches
from augment.patches import PatchConfig
from competition.manifest import read_folder
from competition.splits import assign_validation
from competition.utils.errors import InputError
from models.classifier import build
from models.presets.classifier import recipe
from models.training import fit as training
from models.training.fit import load_model, train
from models.training.schedules import head_weights

ROOT = Path(__file__).parents[3]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
SEED = 5
# What a terminal would run: train a stem, so slowly that it can be killed in the midst of an epoch.
PROCESS = """
import sys
from pathlib import Path
from tests.models.test_training import RECIPE, train_stem
train_stem(Path(sys.argv[1]), Path(sys.argv[2]), RECIPE, pause=0.2)
"""
RECIPE = replace(recipe("smoke", "stem"), patch=16, test_patch=16, epochs=4, patches_per_photo=3)
SHORT = replace(RECIPE, patches_per_photo=1)  # two steps an epoch


class Slow(TrainingPatches):
    pause = 0.0

    def __getitem__(self, index):
        time.sleep(self.pause)
        return super().__getitem__(index)


def train_stem(photos, folder, made, pause=0.0):
    """Train the member `stem` on a folder of photographs."""
    table, _ = read_folder(photos)
    table, _ = assign_validation(table, seed=0)
    classes = sorted(table["camera"].unique())
    parts = {split: table[table["split"] == split] for split in ("train", "validation")}
    labels = {split: {"camera": pd.Index(classes).get_indexer(part["camera"])} for split, part in parts.items()}
    config = PatchConfig(made.patch, made.batch, made.patches_per_photo, SEED)
    batches = Slow(parts["train"], photos, labels["train"], config, workers=1 if pause else 2)
    batches.pause = pause
    watched = EvaluationPatches(
        parts["validation"], photos, labels["validation"], PatchConfig(made.test_patch, made.batch)
    )
    return train("stem", made, batches, watched, {"camera": len(classes)}, folder, SEED)


@pytest.fixture(scope="module")
def photos(photo_folder, tmp_path_factory):
    return photo_folder(tmp_path_factory.mktemp("data") / "photos")


def losses(folder):
    return pd.read_csv(folder / "history.csv").drop(columns="seconds")


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_killed_training_goes_on_as_if_nothing_had_happened(photos, tmp_path):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    command = [sys.executable, "-c", PROCESS, str(photos), str(killed)]
    with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.PIPE) as process:
        while process.poll() is None and not (killed / "history.csv").exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        told = process.stderr.read().decode()[-2000:]
    assert process.returncode == -signal.SIGKILL, told
    before = losses(killed)
    assert 0 < len(before) < RECIPE.epochs

    train_stem(photos, killed, RECIPE)
    train_stem(photos, straight, RECIPE)

    pd.testing.assert_frame_equal(losses(killed).head(len(before)), before, check_exact=True)
    pd.testing.assert_frame_equal(losses(killed), losses(straight), check_exact=True)
    assert files(killed) == files(straight) == ["history.csv", "model.keras"]
    models = [load_model(folder / "model.keras").get_weights() for folder in (killed, straight)]
    for resumed, uninterrupted in zip(*models, strict=True):
        np.testing.assert_array_equal(resumed, uninterrupted)


def test_a_finished_member_is_not_trained_again_and_another_seed_is_another_training(
    photos, tmp_path, monkeypatch, untraced
):
    folder = tmp_path / "member"
    history = train_stem(photos, folder, replace(SHORT, epochs=1))
    written = (folder / "model.keras").stat().st_mtime_ns
    again = train("stem", SHORT, None, None, {"camera": 3}, folder, SEED)
    assert again["loss"].tolist() == history["loss"].tolist()
    assert (folder / "model.keras").stat().st_mtime_ns == written
    monkeypatch.setattr(sys.modules[__name__], "SEED", SEED + 1)
    assert (train_stem(photos, tmp_path / "other", replace(SHORT, epochs=1))["loss"] != history["loss"]).all()


def test_the_weights_of_the_best_epoch_are_kept(photos, tmp_path, monkeypatch, untraced):
    """The learning rate grows until the network is spoilt, so the last epoch is not the best."""
    folder = tmp_path / "member"
    monkeypatch.setattr(training.past, "plateau_rate", lambda start, losses, *_: start * 1000 ** len(losses))
    made = replace(SHORT, schedule="plateau", learning_rate=1e-2, epochs=2)
    history = train_stem(photos, folder, made)
    assert history["learning_rate"].tolist() == pytest.approx([1e-2, 10])
    assert history["val_loss"].idxmin() == 0
    train_stem(photos, tmp_path / "alone", replace(made, epochs=1))
    models = [load_model(path / "model.keras").get_weights() for path in (folder, tmp_path / "alone")]
    for kept, wanted in zip(*models, strict=True):
        np.testing.assert_array_equal(kept, wanted)


def test_training_stops_when_it_no_longer_gets_better(photos, tmp_path, monkeypatch, untraced):
    """Every epoch is told to have been worse than the one before."""
    monkeypatch.setattr(training._Keeper, "on_epoch_end", told(training._Keeper.on_epoch_end, float))
    history = train_stem(photos, tmp_path / "member", replace(SHORT, epochs=9, patience=2))
    assert len(history) == 3


def told(method, loss):
    """A callback's method that hears of another validation loss."""
    return lambda self, epoch, logs: method(self, epoch, logs | {"val_loss": loss(epoch)})


def test_a_loss_that_is_no_number_stops_and_the_epochs_before_are_kept(photos, tmp_path, monkeypatch, untraced):
    folder = tmp_path / "member"
    monkeypatch.setattr(training.past, "plateau_rate", lambda start, losses, *_: 1e-3 if not losses else math.nan)
    with pytest.raises(InputError, match=r"the loss of stem became nan in epoch 1, step \d+; .*--learning-rate"):
        train_stem(photos, folder, replace(SHORT, schedule="plateau"))
    assert files(folder) == ["epoch-0.weights.h5", "history.csv"]
    assert len(losses(folder)) == 1

    weights = folder / "epoch-0.weights.h5"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"epoch-0\.weights\.h5 are damaged"):
        train_stem(photos, folder, replace(SHORT, schedule="plateau"))


def test_a_validation_loss_that_is_no_number_stops_too(photos, tmp_path, monkeypatch, untraced):
    folder = tmp_path / "member"
    monkeypatch.setattr(training._Keeper, "on_epoch_end", told(training._Keeper.on_epoch_end, lambda epoch: math.nan))
    with pytest.raises(InputError, match="the validation loss of stem became nan in epoch 0"):
        train_stem(photos, folder, SHORT)
    assert files(folder) == []


SETTINGS = ("aperture", "iso", "exposure_time")


def settings_patches(photos, made, tau):
    """Batches with made-up labels of three settings, some of them unknown, and the weights of a schedule."""
    table, _ = read_folder(photos)
    table, _ = assign_validation(table, seed=0)
    parts = {split: table[table["split"] == split] for split in ("train", "validation")}
    rng = np.random.default_rng(0)
    labels = {
        split: {name: rng.integers(-1, 3, len(part)).astype(np.int32) for name in SETTINGS}
        for split, part in parts.items()
    }
    config = PatchConfig(made.patch, made.batch, made.patches_per_photo, SEED)
    weights = partial(head_weights, heads=SETTINGS, tau=tau)
    return (
        TrainingPatches(parts["train"], photos, labels["train"], config, head_weights=weights, workers=1),
        EvaluationPatches(
            parts["validation"], photos, labels["validation"], PatchConfig(made.test_patch, made.batch), workers=1
        ),
    )


SMALL = replace(recipe("smoke", "mobilenet", front_end="none"), epochs=4, schedule="plateau", dropout=0.0)


def after_a_step(labels, weights):
    """The weights of the layers of a network of three heads, before and after one step of training."""
    heads = dict.fromkeys(SETTINGS, 3)
    keras.utils.set_random_seed(SEED)
    model = build("mobilenet", SMALL, heads)
    training._compile(model, SMALL, steps=10, heads=heads)
    model.run_eagerly = True  # one step is not worth the tracing
    patch = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8)
    before = {layer.name: layer.get_weights() for layer in model.layers}
    model.train_on_batch({"patch": patch, "is_manipulated": np.zeros((8, 1), np.float32)}, labels, weights)
    return before, {layer.name: layer.get_weights() for layer in model.layers}


def test_a_head_without_weight_learns_nothing_and_neither_does_what_is_below_it(tiny_mobilenet):
    """So it is for unknown labels, and for a setting that has not joined the loss yet."""
    rng = np.random.default_rng(0)
    labels = {name: rng.integers(0, 3, 8).astype(np.int32) for name in SETTINGS}
    known = (np.arange(8) % 2).astype(np.float32)
    weights = {"aperture": np.ones(8, np.float32), "iso": np.zeros(8, np.float32), "exposure_time": known}
    before, after = after_a_step(labels, weights)
    for name in SETTINGS:
        pairs = zip(before[f"{name}_logits"], after[f"{name}_logits"], strict=True)
        assert all((was == now).all() for was, now in pairs) == (name == "iso")

    masked = {name: np.where(weights[name] > 0, label, (label + 1) % 3) for name, label in labels.items()}
    _, other = after_a_step(masked, weights)
    for one, two in zip(after.values(), other.values(), strict=True):
        assert all((a == b).all() for a, b in zip(one, two, strict=True))


def test_the_best_epoch_follows_the_loss_that_no_schedule_weighs(photos, tmp_path, tiny_mobilenet):
    heads = dict.fromkeys(SETTINGS, 3)
    patches, validation = settings_patches(photos, SMALL, tau=1)
    history = train("mobilenet", SMALL, patches, validation, heads, tmp_path / "member", SEED)
    validated = history[[f"val_{name}_loss" for name in SETTINGS]]
    assert (validated > 0).all(axis=None)
    np.testing.assert_allclose(history["val_loss"], validated.sum(axis=1), rtol=1e-5)
    # The training's losses are weighted: aperture alone at first, and one more with every epoch.
    trained = history[[f"{name}_loss" for name in SETTINGS]].to_numpy()
    assert (trained > 0).tolist() == [[True, False, False]] * 2 + [[True, True, False]] + [[True] * 3]
    best = load_model(tmp_path / "member" / "model.keras")
    training._compile(best, SMALL, steps=1, heads=heads)
    best.run_eagerly = True
    again = best.evaluate(validation, return_dict=True, verbose=0)["loss"]
    assert again == pytest.approx(history["val_loss"].min(), rel=1e-5)
