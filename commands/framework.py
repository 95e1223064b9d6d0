"""Start-up of Keras without messages that the user can do nothing about. Tested by tests/commands/test_framework.py."""

import os
import re
import shutil
import sys
import tempfile
from importlib.util import find_spec

from competition.utils.errors import InputError, unknown_name

BACKENDS = {  # of Keras → what installs it
    "tensorflow": "pip install tensorflow",
    "jax": "pip install -r requirements-jax.txt",
    "torch": "pip install torch",
}
NOISE = re.compile(r"absl::InitializeLog|oneDNN custom operations are on")
NO_GPU = re.compile(r"Could not find cuda drivers|failed call to cuInit")  # only matters on a machine with a GPU


def load_framework() -> None:
    """Import Keras, join the other processes of a training, and list the devices.

    What they write to standard error is printed, except for useless messages. TensorFlow writes these from
    C++ before its log level applies, so the file descriptor is redirected.

    Raises:
        InputError: the environment variable `KERAS_BACKEND` names a backend that is unknown or not installed, or the
            other processes cannot be reached.
    """
    _check_backend()
    sys.stderr.flush()
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            from models.training.backend import devices
            from models.training.devices import join_processes

            join_processes()
            devices()
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
            file.seek(0)
            sys.stderr.write(
                useful_messages(file.read().decode(errors="replace"), shutil.which("nvidia-smi") is not None)
            )


def _check_backend() -> None:
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend not in BACKENDS:
        raise unknown_name("KERAS_BACKEND", backend, BACKENDS)
    if find_spec(backend) is None:
        raise InputError(
            f"KERAS_BACKEND={backend} needs the package {backend}, which is not installed; "
            f"run {BACKENDS[backend]}, or choose another backend"
        )


def useful_messages(text: str, has_gpu: bool) -> str:
    """Return the lines of `text` that are worth reading on a machine with or without a GPU."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not NOISE.search(line) and (has_gpu or not NO_GPU.search(line)))
