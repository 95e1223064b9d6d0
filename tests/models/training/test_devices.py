"""Trainings on several devices have the losses of a training on one device.

The devices are parts of one CPU. Other processes train on them, because devices are chosen before a backend starts.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest

from augment.loaders import EvaluationPatches, TrainingPatches
from competition.manifest import read_folder
from competition.utils.errors import InputError
from models.backbones import BACKBONES, Backbone
from models.presets import classifier_recipe
from models.saved import load_model
from models.training import devices
from models.training.devices import ADDRESSES, divide_batches, join_processes
from models.training.fit import EpochCallback, train

ROOT = Path(__file__).parents[3]
STEPS, TOLERANCE, SEED = 10, 1e-3, 3
PHOTOS = 7  # for validation: neither 2 nor 4 devices can share them evenly
RECIPE = replace(
    classifier_recipe("smoke", "mobilenet", front_end="none", batch=8, weights="none", epochs=2, dropout=0.0),
    schedule="plateau",
)
HALF = replace(RECIPE, precision="mixed_float16", average_epochs=1.0)
SCRIPT = """
import sys
from pathlib import Path
from tests.models.training import test_devices
getattr(test_devices, sys.argv[1])(*map(Path, sys.argv[2:]))
"""

needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed (requirements-jax.txt)")


def tiny_network(weights, input_shape):
    pixels = keras.Input(input_shape)
    x = keras.layers.Conv2D(4, 3, strides=2, activation="relu")(pixels)
    x = keras.layers.BatchNormalization(momentum=0.5)(x)
    return keras.Model(pixels, keras.layers.Conv2D(8, 3, strides=2)(x))


def train_steps(photos, folder, recipe=RECIPE):
    """Train two epochs of ten steps; returns the running mean loss after each step, and the validation losses."""
    table, _ = read_folder(photos)
    patches = replace(recipe.patches, seed=SEED, patches_per_photo=4)
    labels = {"camera": np.unique(table["camera"], return_inverse=True)[1].astype(np.int32)}
    training = TrainingPatches(table, photos, labels, patches, workers=2)
    validation = EvaluationPatches(
        table[:PHOTOS], photos, {"camera": labels["camera"][:PHOTOS]}, patches, workers=1, keep=True
    )
    assert len(training) == STEPS
    losses = []
    end = EpochCallback.on_train_batch_end

    def record(self, batch, logs):
        losses.append(float(logs["loss"]))
        end(self, batch, logs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKBONES, "mobilenet", Backbone(tiny_network, "tf", 32))
        patch.setattr(EpochCallback, "on_train_batch_end", record)
        history = train("mobilenet", recipe, training, validation, {"camera": 3}, folder, SEED)
    return [*losses, *history["val_loss"]]


def train_steps_on_one_device(photos, folder, recipe=RECIPE):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "devices", lambda: ["cpu:0"])
        return train_steps(photos, folder, recipe)


def train_with_tensorflow(photos, folder):
    import tensorflow as tf

    half = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], half)
    losses = {
        "one": train_steps_on_one_device(photos, folder / "one"),
        "all": train_steps(photos, folder / "all"),
        "half": train_steps(photos, folder / "half", HALF),
    }
    print(json.dumps(losses))


def train_with_jax(photos, folder):
    losses = {"one": train_steps_on_one_device(photos, folder / "one"), "all": train_steps(photos, folder / "all")}
    print(json.dumps(losses))


def train_in_processes(photos, folder):
    join_processes()
    print(json.dumps({"all": train_steps(photos, folder)}))


def start(function: Callable, *arguments, **variables):
    """Start a function of this module in another process, with environment variables."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"} | variables
    command = [sys.executable, "-P", "-c", SCRIPT, function.__name__, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def output(process):
    stdout, stderr = process.communicate(timeout=900)
    assert process.returncode == 0, stderr[-4000:]
    return {name: np.array(losses) for name, losses in json.loads(stdout.splitlines()[-1]).items()}


@pytest.fixture(scope="module")
def photos(photo_folder, tmp_path_factory):
    return photo_folder(tmp_path_factory.mktemp("data") / "photos")


@pytest.mark.slow
def test_two_devices_with_tensorflow_have_the_losses_of_one(photos, tmp_path):
    losses = output(start(train_with_tensorflow, photos, tmp_path, KERAS_BACKEND="tensorflow"))
    assert len(losses["all"]) == 2 * STEPS + 2
    np.testing.assert_allclose(losses["all"], losses["one"], atol=TOLERANCE)
    np.testing.assert_allclose(losses["half"][:STEPS], losses["one"][:STEPS], atol=0.05)
    config = load_model(tmp_path / "all" / "model.keras").get_config()
    assert '"synchronized": true' not in json.dumps(config)  # JAX cannot load such a layer


@pytest.fixture(scope="module")
def with_jax(photos, tmp_path_factory):
    flags = "--xla_force_host_platform_device_count=4"
    return output(start(train_with_jax, photos, tmp_path_factory.mktemp("jax"), KERAS_BACKEND="jax", XLA_FLAGS=flags))


@needs_jax
@pytest.mark.slow
def test_four_devices_with_jax_have_the_losses_of_one(with_jax):
    assert len(with_jax["all"]) == 2 * STEPS + 2
    np.testing.assert_allclose(with_jax["all"], with_jax["one"], atol=TOLERANCE)


@needs_jax
@pytest.mark.slow
def test_two_processes_with_jax_have_the_losses_of_one_and_the_same_weights(with_jax, photos, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    variables = {"KERAS_BACKEND": "jax", ADDRESSES: address, "KERAS_DISTRIBUTION_NUM_PROCESSES": "2"}
    folders = [tmp_path / "0", tmp_path / "1"]
    started = [
        start(train_in_processes, photos, folder, **variables, KERAS_DISTRIBUTION_PROCESS_ID=folder.name)
        for folder in folders
    ]
    for losses in map(output, started):
        np.testing.assert_allclose(losses["all"], with_jax["one"], atol=TOLERANCE)
    weights = [load_model(folder / "model.keras").get_weights() for folder in folders]
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)


def patches(photos, batch_size=4):
    table, _ = read_folder(photos)
    labels = {"camera": np.arange(len(table), dtype=np.int32) % 3 - 1}
    config = replace(RECIPE.patches, batch_size=batch_size)
    return TrainingPatches(table, photos, labels, config), EvaluationPatches(table, photos, labels, config)


def test_processes_make_disjoint_parts_of_the_batches_of_one_process(photos, monkeypatch):
    whole, parts = patches(photos), [patches(photos) for _ in range(2)]
    monkeypatch.setattr(devices, "devices", lambda: ["gpu:0"] * 4)
    for number, part in enumerate(parts):
        monkeypatch.setattr(devices, "process", lambda number=number: (number, 2))
        divide_batches(*part)
    (inputs, targets, weights), *halves = whole[0][1], parts[0][0][1], parts[1][0][1]
    np.testing.assert_array_equal(np.concatenate([half[0]["patch"] for half in halves]), inputs["patch"])
    np.testing.assert_array_equal(np.concatenate([half[1]["camera"] for half in halves]), targets["camera"])
    np.testing.assert_array_equal(np.concatenate([half[2]["camera"] for half in halves]), weights["camera"])


def test_padding_of_the_last_validation_batch_changes_no_mean(photos, monkeypatch):
    monkeypatch.setattr(devices, "devices", lambda: ["gpu:0"] * 4)
    training, validation = patches(photos)
    (_, plain), padded = patches(photos), validation
    divide_batches(training, validation)
    losses = [np.concatenate([batch[0]["patch"].mean((1, 2, 3)) for batch in dataset]) for dataset in (plain, padded)]
    weights = [np.concatenate([batch[2]["camera"] for batch in dataset]) for dataset in (plain, padded)]
    assert [len(loss) % 4 for loss in losses] == [1, 0]
    means = [(loss * weight).mean() for loss, weight in zip(losses, weights, strict=True)]
    assert means[0] == pytest.approx(means[1])


def test_batch_that_the_devices_cannot_share_evenly_is_refused(photos, monkeypatch):
    monkeypatch.setattr(devices, "devices", lambda: ["gpu:0"] * 3)
    with pytest.raises(InputError, match="3 devices cannot share a batch of 4 patches evenly; use --batch"):
        divide_batches(*patches(photos))


def test_several_machines_need_jax(monkeypatch):
    monkeypatch.setenv(ADDRESSES, "10.0.0.1:1234")
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(InputError, match="needs the backend jax, received tensorflow; set KERAS_BACKEND=jax"):
        join_processes()


def test_validation_batches_become_multiples_of_the_number_of_devices(photos, monkeypatch):
    monkeypatch.setattr(devices, "device_count", lambda: 3)
    training, validation = patches(photos)
    training.config = replace(training.config, batch_size=6)
    divide_batches(training, validation)
    assert (training.config.batch_size, validation.config.batch_size, validation.multiple) == (6, 6, 3)
