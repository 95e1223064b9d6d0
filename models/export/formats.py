"""The formats of exported networks. Imports the standard library only, so that the command line can list them at once.

Every file has the inputs `patch`, uint8 (batch, side, side, 3), and `is_manipulated`, float32 (batch, 1), and one
output for each head, float32 (batch, classes). The batch of LiteRT is 1.
"""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from competition.utils.errors import InputError, unknown_name

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

PATCH, IS_MANIPULATED = "patch", "is_manipulated"  # the inputs
Predict: TypeAlias = "Callable[[NDArray[np.uint8], NDArray[np.float32]], dict[str, NDArray[np.float32]]]"


@dataclass(frozen=True)
class Format:
    """A format of exported networks.

    Attributes:
        suffix: of its files; empty for a folder.
        packages: modules that it needs besides those of requirements.txt.
        write: function (network, path) that writes a file.
        read: function (path, threads) → function (patch, is_manipulated) → predictions by head, as a program would use
            the file.
    """

    suffix: str
    packages: tuple[str, ...]
    write: "Callable[[keras.Model, Path], None]"
    read: "Callable[[Path, int], Predict]"


def find_format(name: str) -> Format:
    """Return a format. Raises `InputError` for an unknown name, or if packages are missing."""
    if name not in FORMATS:
        raise unknown_name("format", name, FORMATS)
    missing = [package for package in FORMATS[name].packages if find_spec(package) is None]
    if missing:
        raise InputError(
            f"the format {name} needs {', '.join(missing)}, which is not installed; "
            "run pip install -r requirements-export.txt"
        )
    return FORMATS[name]


def _write_onnx(network: "keras.Model", path: Path) -> None:
    # Otherwise tf2onnx copies the graph with all weights before each of its dozens of passes, to restore it after an
    # error: an ensemble then takes many minutes and gigabytes.
    os.environ.setdefault("TF2ONNX_CATCH_ERRORS", "FALSE")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*np.object", category=FutureWarning)  # by Keras' repair of tf2onnx
        network.export(path, format="onnx", verbose=False)


def _read_onnx(path: Path, threads: int) -> "Predict":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    heads = [output.name for output in session.get_outputs()]

    def predict(patch: "NDArray[np.uint8]", is_manipulated: "NDArray[np.float32]") -> "dict[str, NDArray[np.float32]]":
        return dict(zip(heads, session.run(None, {PATCH: patch, IS_MANIPULATED: is_manipulated}), strict=True))

    return predict


def _write_litert(network: "keras.Model", path: Path) -> None:
    network.export(path, format="litert", verbose=False)


def _read_litert(path: Path, threads: int) -> "Predict":
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(path), num_threads=threads).get_signature_runner()

    def predict(patch: "NDArray[np.uint8]", is_manipulated: "NDArray[np.float32]") -> "dict[str, NDArray[np.float32]]":
        return runner(**{PATCH: patch, IS_MANIPULATED: is_manipulated})

    return predict


def _write_saved_model(network: "keras.Model", path: Path) -> None:
    network.export(path, format="tf_saved_model", verbose=False)


def _read_saved_model(path: Path, threads: int) -> "Predict":
    import keras

    layer: Any = keras.layers.TFSMLayer(path, call_endpoint="serve")

    def predict(patch: "NDArray[np.uint8]", is_manipulated: "NDArray[np.float32]") -> "dict[str, NDArray[np.float32]]":
        outputs = layer({PATCH: patch, IS_MANIPULATED: is_manipulated})
        return {head: keras.ops.convert_to_numpy(output) for head, output in outputs.items()}

    return predict


FORMATS = {
    "onnx": Format(".onnx", ("onnx", "tf2onnx", "onnxruntime"), _write_onnx, _read_onnx),
    "litert": Format(".tflite", ("ai_edge_litert",), _write_litert, _read_litert),
    "saved-model": Format("", (), _write_saved_model, _read_saved_model),
}
