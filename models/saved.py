"""Load saved weights and models. Code from a file is never run."""

import warnings
import zipfile
import zlib
from importlib import import_module
from pathlib import Path

import keras

import models.layers  # noqa: F401 - registers the layers with Keras
from competition.utils.errors import InputError
from models.front_ends import FRONT_ENDS

for _name in FRONT_ENDS:
    import_module(f"models.front_ends.{_name}")  # registers its layers

MODEL = "model.keras"  # the trained network in the folder of a member

# Exceptions that Keras, h5py and zipfile raise on damaged files and files of another network.
DAMAGED = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    RuntimeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    UserWarning,
)


def load_weights(model: keras.Model, path: Path) -> None:
    """Load weights into `model`. Raises `InputError` if the file is missing, damaged or of another network."""
    if not path.is_file():
        raise InputError(f"the weights {path} do not exist")
    try:
        with warnings.catch_warnings():
            # Keras only warns about layers that the file lacks, and does not change them.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
    except DAMAGED as error:
        raise InputError(
            f"the weights {path} are damaged or belong to another network ({_first_line(error)})"
        ) from error


def load_model(path: Path) -> keras.Model:
    """Load a trained network. Raises `InputError` if the file is missing or damaged."""
    if not path.is_file():
        raise InputError(f"{path} does not exist: train this member first")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except DAMAGED as error:
        raise InputError(
            f"{path} is damaged or not a model of this toolkit ({_first_line(error)}); delete it and train again"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
