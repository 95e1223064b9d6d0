"""Trackers log every epoch of a training. Weights & Biases and MLflow are replaced by stand-ins of their interface."""

import sys
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest

from competition.utils.errors import InputError
from models.training.tracking import TRACKERS, check_tracker, tracking


def fit(tracker, folder):
    """Train a tiny network for two epochs."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = np.ones((4, 2), np.float32), np.ones((4, 1), np.float32)
    with tracking(tracker, folder) as callbacks:
        model.fit(*data, validation_data=data, epochs=2, verbose=0, callbacks=callbacks)


def test_tensorboard_gets_the_losses_of_every_epoch(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import TENSORS, EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    fit("tensorboard", tmp_path)
    for part in ("train", "validation"):
        events = EventAccumulator(str(tmp_path / "tensorboard" / part), {TENSORS: 0}).Reload()
        losses = events.Tensors("epoch_loss")
        assert [event.step for event in losses] == [0, 1]
        first, second = (float(make_ndarray(event.tensor_proto)) for event in losses)
        assert second < first


class Recorder(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(set(logs or {}))


@pytest.mark.parametrize("tracker", ["wandb", "mlflow"])
def test_the_callback_of_a_client_is_used_within_its_run(tracker, tmp_path, monkeypatch):
    calls: list[Any] = []
    recorder = Recorder()

    @contextmanager
    def start(**options):
        calls.append(options)
        yield
        calls.append("finished")

    client, integration, framework = ModuleType(tracker), ModuleType("integration"), ModuleType("keras")
    for name, value in {"init": start, "start_run": start, "set_experiment": calls.append, "keras": framework}.items():
        setattr(client, name, value)
    for name in ("WandbMetricsLogger", "MlflowCallback"):
        setattr(framework, name, lambda: recorder)
    monkeypatch.setitem(sys.modules, tracker, client)
    monkeypatch.setitem(sys.modules, "wandb.integration", integration)
    monkeypatch.setitem(sys.modules, "wandb.integration.keras", framework)
    fit(tracker, tmp_path / "members" / "a")
    assert calls[-1] == "finished"
    assert calls[-2]["name" if tracker == "wandb" else "run_name"] == (tmp_path / "members" / "a").as_posix()
    assert recorder.epochs == [{"loss", "val_loss"}] * 2


def test_no_tracker_adds_no_callback(tmp_path):
    with tracking(None, tmp_path) as callbacks:
        assert callbacks == []


def test_a_missing_client_is_named_with_its_installation(monkeypatch):
    monkeypatch.setattr("models.training.tracking.find_spec", lambda package: None)
    for tracker in TRACKERS:
        with pytest.raises(
            InputError, match=f"--log {tracker} needs the package {tracker}.*; run pip install {tracker}"
        ):
            check_tracker(tracker)


def test_train_asks_for_the_client_before_it_begins(monkeypatch, tmp_path):
    from commands.__main__ import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("models.training.tracking.find_spec", lambda package: None)
    assert main(["train", "ensemble", "--log", "wandb"]) == 2
    assert list(tmp_path.iterdir()) == []
