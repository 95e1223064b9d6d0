"""Devices of the Keras backend, and functions that need TensorFlow.

Tested by tests/models/exif_language/test_dual_encoder.py and tests/models/training/test_devices.py.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import ParamSpec, TypeVar

import keras
import numpy as np

from competition.utils.errors import InputError
from models.layers import Tensor

P = ParamSpec("P")
Result = TypeVar("Result")


def devices() -> list[str]:
    """Return the devices of the backend, such as `gpu:0`; only CPUs if there is no accelerator."""
    if keras.backend.backend() == "torch":
        import torch

        return [f"gpu:{i}" for i in range(torch.cuda.device_count())] or ["cpu:0"]
    return [device.lower().replace("cuda", "gpu") for device in keras.distribution.list_devices()]


def has_gpu() -> bool:
    """Return whether there is an accelerator."""
    return not all(device.startswith("cpu") for device in devices())


def jit_compile() -> str | bool:
    """Return the argument `jit_compile` of `keras.Model.compile`.

    With TensorFlow on a CPU, compiling with XLA costs more than it gains, and XLA cannot compile a step of several
    devices. JAX needs it: without, it computes one operation at a time.
    """
    if keras.backend.backend() != "tensorflow":
        return "auto"
    return "auto" if has_gpu() and len(devices()) == 1 else False


def mirrored_scope() -> AbstractContextManager[object]:
    """Return the scope in which TensorFlow builds and fits a model on all of its devices."""
    import tensorflow as tf

    scope: AbstractContextManager[object] = tf.distribute.MirroredStrategy().scope()
    return scope


def compile_function(function: Callable[P, Result]) -> Callable[P, Result]:
    """Compile a function of tensors. Raises `InputError` for another backend than TensorFlow."""
    _require_tensorflow()
    import tensorflow as tf

    return tf.function(function)


def gradient(function: Callable[[Tensor], Tensor], values: np.ndarray) -> np.ndarray:
    """Return the gradient of the sum of a function's outputs with respect to its input, float32 of the input's shape.

    Raises:
        InputError: the backend is neither TensorFlow nor JAX.
    """
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(lambda tensor: keras.ops.sum(function(tensor)))(values), np.float32)
    _require_tensorflow("evidence maps need the backend tensorflow or jax")
    import tensorflow as tf

    tensor = tf.convert_to_tensor(values)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        value = function(tensor)
    return tape.gradient(value, tensor, unconnected_gradients="zero").numpy().astype(np.float32)


def value_and_gradients(
    function: Callable[P, Tensor], variables: Sequence[keras.Variable]
) -> Callable[P, tuple[Tensor, list[Tensor]]]:
    """Compile a scalar function of tensors to one that also returns its gradients with respect to `variables`.

    The gradient with respect to a variable on which the scalar does not depend is 0.

    Raises:
        InputError: the backend is not TensorFlow.
    """
    _require_tensorflow()
    import tensorflow as tf

    watched = [variable.value for variable in variables]

    def differentiate(*args: P.args, **kwargs: P.kwargs) -> tuple[Tensor, list[Tensor]]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(watched)
            value = function(*args, **kwargs)
        gradients = tape.gradient(value, watched, unconnected_gradients="zero")
        return value, [tf.convert_to_tensor(gradient) for gradient in gradients]  # gradients of embeddings are sparse

    return tf.function(differentiate)


def _require_tensorflow(what: str = "contrastive training needs the backend tensorflow") -> None:
    if keras.backend.backend() != "tensorflow":
        raise InputError(f"{what}, received {keras.backend.backend()}; set KERAS_BACKEND=tensorflow")
