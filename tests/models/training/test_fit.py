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
from competition.manifest import read_folder
from competition.splits import assign_validation
from competition.utils.errors import InputError
from models.classifier import build
from models.presets import classifier_recipe
from models.recipe import change
from models.saved import load_model
from models.training import fit
from models.training.checkpoints import START
from models.training.fit import EpochCallback, compile_classifier, train
from models.training.options import NO_OPTIONS, TrainingOptions
from models.training.schedules import head_weights

ROOT = Path(__file__).parents[3]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
SEED = 5
# Trains a convnet in another process, so slowly that it can be killed within an epoch.
PROCESS = """
import sys
from pathlib import Path
from tests.models.training.test_fit import RECIPE, train_convnet
train_convnet(Path(sys.argv[1]), Path(sys.argv[2]), RECIPE, pause=0.2)
"""
RECIPE = classifier_recipe("smoke", "convnet", patch=16, epochs=4, patches_per_photo=3)
SHORT = change(RECIPE, patches_per_photo=1)  # two steps per epoch


class SlowPatches(TrainingPatches):
    pause = 0.0

    def __getitem__(self, index):
        time.sleep(self.pause)
        return super().__getitem__(index)


def train_convnet(photos, folder, recipe, pause=0.0, options=NO_OPTIONS):
    """Train the member `convnet` on a folder of photos, with a pause before each batch."""
    return train_member("convnet", photos, folder, recipe, pause, options=options)


def train_member(member, photos, folder, recipe, pause=0.0, front_end=None, options=NO_OPTIONS):
    """Train a member on a folder of photos. `front_end` is the file of a trained front end alone."""
    table, _ = read_folder(photos)
    table, _ = assign_validation(table, seed=0)
    classes = sorted(table["camera"].unique())
    parts = {split: table[table["split"] == split] for split in ("train", "validation")}
    labels = {split: {"camera": pd.Index(classes).get_indexer(part["camera"])} for split, part in parts.items()}
    config = replace(recipe.patches, seed=SEED, dihedral=True)
    training = SlowPatches(parts["train"], photos, labels["train"], config, workers=1 if pause else 2)
    training.pause = pause
    validation = EvaluationPatches(parts["validation"], photos, labels["validation"], config)
    return train(member, recipe, training, validation, {"camera": len(classes)}, folder, SEED, front_end, options)


@pytest.fixture(scope="module")
def photos(photo_folder, tmp_path_factory):
    return photo_folder(tmp_path_factory.mktemp("data") / "photos")


def losses(folder):
    return pd.read_csv(folder / "history.csv").drop(columns="seconds")


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_killed_training_resumes_as_if_it_had_not_been_interrupted(photos, tmp_path):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    command = [sys.executable, "-c", PROCESS, str(photos), str(killed)]
    with (
        (tmp_path / "errors").open("wb") as errors,
        subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stderr=errors) as process,
    ):
        while process.poll() is None and not (killed / "history.csv").exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, (tmp_path / "errors").read_text()[-2000:]
    before = losses(killed)
    assert 0 < len(before) < RECIPE.epochs

    train_convnet(photos, killed, RECIPE)
    train_convnet(photos, straight, RECIPE)

    pd.testing.assert_frame_equal(losses(killed).head(len(before)), before, check_exact=True)
    pd.testing.assert_frame_equal(losses(killed), losses(straight), check_exact=True)
    assert files(killed) == files(straight) == ["history.csv", "model.keras"]
    models = [load_model(folder / "model.keras").get_weights() for folder in (killed, straight)]
    for resumed, uninterrupted in zip(*models, strict=True):
        np.testing.assert_array_equal(resumed, uninterrupted)


def test_interrupted_training_with_averaged_weights_resumes_exactly(photos, tmp_path, monkeypatch, untraced):
    recipe = replace(SHORT, average_epochs=1.5, epochs=3)
    straight, interrupted = tmp_path / "straight", tmp_path / "interrupted"
    train_convnet(photos, straight, recipe)
    begin = EpochCallback.on_epoch_begin

    def interrupt(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt
        begin(self, epoch, logs)

    monkeypatch.setattr(EpochCallback, "on_epoch_begin", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_convnet(photos, interrupted, recipe)
    assert len(losses(interrupted)) == 2
    monkeypatch.setattr(EpochCallback, "on_epoch_begin", begin)
    train_convnet(photos, interrupted, recipe)
    pd.testing.assert_frame_equal(losses(interrupted), losses(straight), check_exact=True)
    models = [load_model(folder / "model.keras").get_weights() for folder in (interrupted, straight)]
    for resumed, uninterrupted in zip(*models, strict=True):
        np.testing.assert_array_equal(resumed, uninterrupted)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_training_interrupted_within_an_epoch_resumes_exactly(
    accumulate, photos, tmp_path, monkeypatch, untraced, tiny_mobilenet
):
    """The state has weights, optimizer, averages, gradients that wait, running losses and the noise of dropout."""
    recipe = classifier_recipe("smoke", "mobilenet", weights="none", front_end="none", batch=6, epochs=2)
    recipe = change(recipe, patches_per_photo=2, average_epochs=1.5, dropout=0.3, accumulate=accumulate)
    every_third = TrainingOptions(save_every=3)
    straight, interrupted = tmp_path / "straight", tmp_path / "interrupted"
    train_member("mobilenet", photos, straight, recipe)
    end, steps = EpochCallback.on_train_batch_end, []

    def interrupt(self, batch, logs):
        steps.append(batch)
        end(self, batch, logs)
        if len(self.checkpoints.history) == 1 and self.step == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(EpochCallback, "on_train_batch_end", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train_member("mobilenet", photos, interrupted, recipe, options=every_third)
    assert "step.npz" in files(interrupted)
    per_epoch = len(steps) - 4
    assert per_epoch > 4
    steps.clear()

    def record(self, batch, logs):
        steps.append(batch)
        end(self, batch, logs)

    monkeypatch.setattr(EpochCallback, "on_train_batch_end", record)
    train_member("mobilenet", photos, interrupted, recipe)
    assert len(steps) == per_epoch - 3
    assert files(interrupted) == files(straight)
    pd.testing.assert_frame_equal(losses(interrupted), losses(straight), check_exact=True)
    models = [load_model(folder / "model.keras").get_weights() for folder in (interrupted, straight)]
    for resumed, uninterrupted in zip(*models, strict=True):
        np.testing.assert_array_equal(resumed, uninterrupted)


def test_validation_and_the_trained_model_use_the_averaged_weights(photos, tmp_path, monkeypatch, untraced):
    """A window of two epochs of two steps each is a momentum of 3/4."""
    constant = replace(SHORT, schedule="plateau", epochs=1)
    plain, averaged = tmp_path / "plain", tmp_path / "averaged"
    steps = []
    end = EpochCallback.on_train_batch_end

    def record(self, batch, logs):
        steps.append([np.asarray(weight) for weight in self.model.trainable_weights])
        end(self, batch, logs)

    monkeypatch.setattr(EpochCallback, "on_train_batch_end", record)
    histories = [
        train_convnet(photos, plain, constant),
        train_convnet(photos, averaged, replace(constant, average_epochs=2)),
    ]
    assert len(steps) == 4
    assert histories[0]["loss"].tolist() == histories[1]["loss"].tolist()
    assert histories[0]["val_loss"].tolist() != histories[1]["val_loss"].tolist()
    found = load_model(averaged / "model.keras").trainable_weights
    for weight, first, second in zip(found, steps[2], steps[3], strict=True):  # the average begins with the first step
        np.testing.assert_allclose(np.asarray(weight), 0.75 * first + 0.25 * second, atol=1e-6)


@pytest.mark.parametrize("average_epochs", [0, 3])
@pytest.mark.parametrize("preset", ["smoke", "full"])
def test_trained_member_equals_its_front_end_if_no_epoch_is_better(
    preset, average_epochs, photos, tmp_path, untraced, tiny_mobilenet
):
    """The learning rate is so high that training diverges."""
    recipe = classifier_recipe(
        preset, "mobilenet", patch=32, batch=8, weights="none", epochs=1, schedule="plateau", learning_rate=100.0
    )
    recipe = replace(recipe, average_epochs=average_epochs, precision="float32")
    alone = build("dctnet", classifier_recipe(preset, "dctnet", patch=32), {"camera": 3})
    alone.save(tmp_path / "front_end.keras")
    history = train_member("mobilenet", photos, tmp_path / "member", recipe, front_end=tmp_path / "front_end.keras")
    assert history["epoch"].tolist() == [START, 0]
    assert history["val_loss"].iloc[0] < history["val_loss"].iloc[1]
    patches = {
        "patch": np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8),
        "is_manipulated": np.zeros((4, 1), np.float32),
    }
    found = load_model(tmp_path / "member" / "model.keras")(patches)["camera"]
    np.testing.assert_allclose(np.asarray(found), np.asarray(alone(patches)["camera"]), atol=1e-6)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_step_in_half_precision_keeps_the_dct_in_single_precision(precision, tiny_mobilenet):
    recipe = classifier_recipe("full", "mobilenet", patch=32, batch=8, weights="none", learning_rate=1e-2)
    recipe = replace(recipe, precision=precision, schedule="plateau")
    keras.utils.set_random_seed(SEED)
    model = build("mobilenet", recipe, {"camera": 3})
    compile_classifier(model, recipe, {"camera": 3}, steps=2)
    model.run_eagerly = keras.backend.backend() == "tensorflow"  # JAX compiles every operation of an eager step
    assert model.get_layer("dct").compute_dtype == "float32"
    assert model.get_layer("dense_512").compute_dtype == precision.removeprefix("mixed_")
    before = model.get_weights()
    patch = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8)
    inputs = {"patch": patch, "is_manipulated": np.zeros((8, 1), np.float32)}
    losses = [
        model.train_on_batch(inputs, {"camera": np.arange(8) % 3}, {"camera": np.ones(8, np.float32)}) for _ in range(2)
    ]
    assert np.isfinite(losses).all()
    assert all(weight.dtype == np.float32 for weight in model.get_weights() if weight.dtype.kind == "f")
    assert any((was != now).any() for was, now in zip(before, model.get_weights(), strict=True))


def test_full_preset_trains_in_half_precision_with_averaged_weights(photos, tmp_path, untraced, tiny_mobilenet):
    recipe = classifier_recipe("full", "mobilenet", patch=32, batch=8, weights="none", epochs=2)
    alone = build("dctnet", classifier_recipe("full", "dctnet", patch=32), {"camera": 3})
    alone.save(tmp_path / "front_end.keras")
    folder = tmp_path / "member"
    history = train_member("mobilenet", photos, folder, recipe, front_end=tmp_path / "front_end.keras")
    assert history["epoch"].tolist() == [START, 0, 1]
    assert np.isfinite(history[["val_loss", "val_accuracy"]]).all(axis=None)
    trained = load_model(folder / "model.keras")
    assert trained.get_layer("dense_512").compute_dtype == "float16"
    for weight in trained.get_layer("front_end_dense_0").get_weights():
        assert weight.dtype == np.float32


def test_finished_member_is_not_trained_again_and_another_seed_gives_another_history(
    photos, tmp_path, monkeypatch, untraced
):
    folder = tmp_path / "member"
    history = train_convnet(photos, folder, replace(SHORT, epochs=1))
    written = (folder / "model.keras").stat().st_mtime_ns
    assert train_convnet(photos, folder, SHORT)["loss"].tolist() == history["loss"].tolist()
    assert (folder / "model.keras").stat().st_mtime_ns == written
    monkeypatch.setattr(sys.modules[__name__], "SEED", SEED + 1)
    assert (train_convnet(photos, tmp_path / "other", replace(SHORT, epochs=1))["loss"] != history["loss"]).all()


def test_weights_of_the_best_epoch_are_kept(photos, tmp_path, monkeypatch, untraced):
    """The learning rate grows until training diverges, so the last epoch is not the best."""
    folder = tmp_path / "member"
    monkeypatch.setattr(fit, "plateau_rate", lambda start, losses, *_: start * 1000 ** len(losses))
    recipe = replace(SHORT, schedule="plateau", learning_rate=1e-2, epochs=2)
    history = train_convnet(photos, folder, recipe)
    assert history["learning_rate"].tolist() == pytest.approx([1e-2, 10])
    assert history["val_loss"].idxmin() == 0
    train_convnet(photos, tmp_path / "alone", replace(recipe, epochs=1))
    models = [load_model(path / "model.keras").get_weights() for path in (folder, tmp_path / "alone")]
    for kept, expected in zip(*models, strict=True):
        np.testing.assert_array_equal(kept, expected)


def test_training_stops_when_the_validation_loss_stalls(photos, tmp_path, monkeypatch, untraced):
    """The validation loss of every epoch is replaced by one that is worse than the one before."""
    monkeypatch.setattr(EpochCallback, "on_epoch_end", with_validation_loss(EpochCallback.on_epoch_end, float))
    history = train_convnet(photos, tmp_path / "member", replace(SHORT, epochs=9, patience=2))
    assert len(history) == 3


def with_validation_loss(method, loss):
    """A method of a callback that receives another validation loss."""
    return lambda self, epoch, logs: method(self, epoch, logs | {"val_loss": loss(epoch)})


def test_loss_that_is_not_a_number_raises_and_earlier_epochs_are_kept(photos, tmp_path, monkeypatch, untraced):
    folder = tmp_path / "member"
    monkeypatch.setattr(fit, "plateau_rate", lambda start, losses, *_: 1e-3 if not losses else math.nan)
    with pytest.raises(InputError, match=r"the loss of convnet became nan in epoch 1, step \d+; .*--learning-rate"):
        train_convnet(photos, folder, replace(SHORT, schedule="plateau"))
    assert files(folder) == ["epoch-0.weights.h5", "history.csv"]
    assert len(losses(folder)) == 1

    weights = folder / "epoch-0.weights.h5"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"epoch-0\.weights\.h5 are damaged"):
        train_convnet(photos, folder, replace(SHORT, schedule="plateau"))


def test_validation_loss_that_is_not_a_number_raises(photos, tmp_path, monkeypatch, untraced):
    folder = tmp_path / "member"
    monkeypatch.setattr(
        EpochCallback, "on_epoch_end", with_validation_loss(EpochCallback.on_epoch_end, lambda epoch: math.nan)
    )
    with pytest.raises(InputError, match="the validation loss of convnet became nan in epoch 0"):
        train_convnet(photos, folder, SHORT)
    assert files(folder) == []


SETTINGS = ("aperture", "iso", "exposure_time")


def settings_patches(photos, recipe, tau):
    """Batches with random labels of three settings, some of them unknown, and weights that follow a schedule."""
    table, _ = read_folder(photos)
    table, _ = assign_validation(table, seed=0)
    parts = {split: table[table["split"] == split] for split in ("train", "validation")}
    rng = np.random.default_rng(0)
    labels = {
        split: {name: rng.integers(-1, 3, len(part)).astype(np.int32) for name in SETTINGS}
        for split, part in parts.items()
    }
    config = replace(recipe.patches, seed=SEED, dihedral=True)
    weights = partial(head_weights, heads=SETTINGS, tau=tau)
    return (
        TrainingPatches(parts["train"], photos, labels["train"], config, head_weights=weights, workers=1),
        EvaluationPatches(parts["validation"], photos, labels["validation"], config, workers=1),
    )


SMALL = classifier_recipe("smoke", "mobilenet", front_end="none", epochs=4, schedule="plateau", dropout=0.0)


def after_a_step(labels, weights):
    """The weights of the layers of a network with three heads, before and after one training step."""
    heads = dict.fromkeys(SETTINGS, 3)
    keras.utils.set_random_seed(SEED)
    model = build("mobilenet", SMALL, heads)
    compile_classifier(model, SMALL, heads, steps=10)
    model.run_eagerly = True  # tracing takes longer than one step
    patch = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8)
    before = {layer.name: layer.get_weights() for layer in model.layers}
    model.train_on_batch({"patch": patch, "is_manipulated": np.zeros((8, 1), np.float32)}, labels, weights)
    return before, {layer.name: layer.get_weights() for layer in model.layers}


def test_head_with_zero_weights_changes_neither_itself_nor_the_layers_below(tiny_mobilenet):
    """This is the case of unknown labels, and of a setting that has not joined the loss yet."""
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


def test_best_epoch_follows_the_loss_without_head_weights(photos, tmp_path, tiny_mobilenet):
    heads = dict.fromkeys(SETTINGS, 3)
    patches, validation = settings_patches(photos, SMALL, tau=1)
    history = train("mobilenet", SMALL, patches, validation, heads, tmp_path / "member", SEED)
    validated = history[[f"val_{name}_loss" for name in SETTINGS]]
    assert (validated > 0).all(axis=None)
    np.testing.assert_allclose(history["val_loss"], validated.sum(axis=1), rtol=1e-5)
    # The training losses are weighted: only the aperture counts at first, and one more setting joins in each epoch.
    trained = history[[f"{name}_loss" for name in SETTINGS]].to_numpy()
    assert (trained > 0).tolist() == [[True, False, False]] * 2 + [[True, True, False]] + [[True] * 3]
    best = load_model(tmp_path / "member" / "model.keras")
    compile_classifier(best, SMALL, heads, steps=1)
    best.run_eagerly = True
    evaluated = best.evaluate(validation, return_dict=True, verbose=0)["loss"]
    assert evaluated == pytest.approx(history["val_loss"].min(), rel=1e-5)


def test_accumulated_gradients_equal_those_of_one_larger_batch(untraced):
    rng = np.random.default_rng(0)
    inputs, labels = rng.normal(size=(8, 3)).astype(np.float32), {"camera": rng.integers(0, 2, 8)}

    def trained(accumulate: int, batch: int) -> np.ndarray:
        keras.utils.set_random_seed(0)
        pixels = keras.Input((3,))
        model = keras.Model(pixels, {"camera": keras.layers.Dense(2, activation="softmax")(pixels)})
        recipe = replace(SHORT, accumulate=accumulate, schedule="plateau", learning_rate=0.1)
        compile_classifier(model, recipe, {"camera": 2}, steps=8)
        model.fit(inputs, labels, batch_size=batch, shuffle=False, verbose=0)
        return model.get_weights()[0]

    np.testing.assert_allclose(trained(2, 4), trained(1, 8), rtol=1e-5)
    assert (trained(1, 4) != trained(1, 8)).any()
