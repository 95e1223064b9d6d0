"""Where networks run: the accelerators that the backend of Keras sees."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras

from competition.utils.errors import InputError


def devices() -> list[str]:
    """The backend's devices, such as `gpu:0`; CPU alone where there is no accelerator."""
    if keras.backend.backend() == "torch":
        import torch

        return [f"gpu:{i}" for i in range(torch.cuda.device_count())] or ["cpu:0"]
    return [device.lower().replace("cuda", "gpu") for device in keras.distribution.list_devices()]


def has_gpu() -> bool:
    """Whether there is an accelerator to run on."""
    return not all(device.startswith("cpu") for device in devices())


def all_gpus() -> AbstractContextManager:
    """The scope in which to build and compile a model: mirrored over all GPUs where TensorFlow sees several."""
    if keras.backend.backend() != "tensorflow" or len(devices()) < 2:
        return nullcontext()
    import tensorflow as tf

    return tf.distribute.MirroredStrategy().scope()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of tensors, compiled; `InputError` on another backend than TensorFlow."""
    _only_tensorflow()
    import tensorflow as tf

    return tf.function(function)


def differentiated(
    function: Callable[..., Any], variables: Sequence[keras.Variable]
) -> Callable[..., tuple[Any, list[Any]]]:
    """`function`, compiled, with its gradients: tensors → (its scalar, the gradients by `variables`).

    A variable on which the scalar does not depend has the gradient 0. `InputError` on another backend than TensorFlow.
    """
    _only_tensorflow()
    import tensorflow as tf

    watched = [variable.value for variable in variables]

    def both(*inputs: Any) -> tuple[Any, list[Any]]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(watched)
            value = function(*inputs)
        gradients = tape.gradient(value, watched, unconnected_gradients="zero")
        return value, [tf.convert_to_tensor(gradient) for gradient in gradients]  # those of embeddings are sparse

    return tf.function(both)


def _only_tensorflow() -> None:
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"training by contrast is written for the backend tensorflow, received {keras.backend.backend()}; "
            "set KERAS_BACKEND=tensorflow"
        )
