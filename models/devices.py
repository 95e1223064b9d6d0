"""Where networks run: the accelerators that the backend of Keras sees."""

from contextlib import AbstractContextManager, nullcontext

import keras


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
