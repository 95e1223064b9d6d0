"""Tracking of trainings by TensorBoard, Weights & Biases or MLflow, through the Keras callbacks of these clients.

Imports nothing but the standard library at import time, so that the command line can list the trackers at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from competition.utils.errors import InputError

if TYPE_CHECKING:
    import keras

TRACKERS = ("tensorboard", "wandb", "mlflow")  # also the names of their packages, and of the extras in pyproject.toml
PROJECT = "camera-competition"  # of Weights & Biases; the experiment of MLflow


def check_tracker(tracker: str) -> None:
    """Raise `InputError`, with the command that installs it, if the client of a tracker is not installed."""
    if find_spec(tracker) is None:
        raise InputError(
            f"--log {tracker} needs the package {tracker}, which is not installed; run pip install {tracker}, "
            "or leave out --log"
        )


@contextmanager
def tracking(tracker: str | None, folder: Path) -> "Iterator[list[keras.callbacks.Callback]]":
    """Yield the callbacks that log a training in `folder`; none without a tracker.

    The name of the training is the path of the folder, such as `runs/<run>/members/<member>`. TensorBoard's event files
    are in its sub-folder `tensorboard`. Where Weights & Biases and MLflow log to is set by their environment variables,
    such as `WANDB_MODE` and `MLFLOW_TRACKING_URI`.
    """
    if tracker is None:
        yield []
    elif tracker == "tensorboard":
        import keras

        yield [keras.callbacks.TensorBoard(folder / "tensorboard", write_graph=False)]
    elif tracker == "wandb":
        import wandb
        from wandb.integration.keras import WandbMetricsLogger

        with wandb.init(project=PROJECT, name=folder.as_posix(), dir=folder):
            yield [WandbMetricsLogger()]
    else:
        import mlflow

        mlflow.set_experiment(PROJECT)
        with mlflow.start_run(run_name=folder.as_posix()):
            yield [mlflow.keras.MlflowCallback()]
