"""Trainings on several devices: the GPUs of a machine, and with JAX those of several machines.

Every device has the weights and an equal part of each batch. Gradients, the statistics of BatchNorm, losses and metrics
are those of the whole batch, so the number of devices changes a training by rounding and, with TensorFlow, by the noise
of dropout. All devices of the backend are used; `CUDA_VISIBLE_DEVICES` limits them.
"""

import os
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

import keras
import numpy as np

from augment.loaders import EvaluationPatches, TrainingPatches
from competition.utils.errors import InputError
from models.training.backend import devices, mirrored_scope

ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"  # read by `keras.distribution.initialize`


def join_processes() -> None:
    """Connect to the other processes of a training on several machines, if the environment names their coordinator.

    Call it before anything is computed. `keras.distribution.initialize` describes the environment variables.

    Raises:
        InputError: the backend is not JAX, or the coordinator does not answer.
    """
    if ADDRESSES not in os.environ:
        return
    if keras.backend.backend() != "jax":
        raise InputError(
            f"a training on several machines needs the backend jax, received {keras.backend.backend()}; "
            f"set KERAS_BACKEND=jax, or unset {ADDRESSES}"
        )
    import jax

    if jax.distributed.is_initialized():
        return
    try:
        keras.distribution.initialize()
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"{ADDRESSES}={os.environ[ADDRESSES]} cannot be used ({reason})") from None


def device_count() -> int:
    """Return the number of devices that share a batch, on all machines."""
    return 1 if keras.backend.backend() == "torch" else len(devices())


def process() -> tuple[int, int]:
    """Return the number of this process, from 0, and the number of processes that train together."""
    if keras.backend.backend() != "jax":
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()


def all_devices() -> AbstractContextManager:
    """Return the scope in which to build, compile and fit a model on all devices; it does nothing if there is one."""
    if device_count() < 2:
        return nullcontext()
    if keras.backend.backend() == "tensorflow":
        return mirrored_scope()
    return keras.distribution.DataParallel(auto_shard_dataset=False).scope()  # each process makes its own patches


def divide_batches(training: TrainingPatches, validation: EvaluationPatches) -> None:
    """Let this process only make its part of each batch. Raises `InputError` if the devices cannot share a batch."""
    count = device_count()
    if training.config.batch_size % count:
        raise InputError(
            f"{count} devices cannot share a batch of {training.config.batch_size} patches evenly; "
            f"use --batch with a multiple of {count}, or limit the devices by CUDA_VISIBLE_DEVICES"
        )
    validation.config = replace(validation.config, batch_size=-(-validation.config.batch_size // count) * count)
    validation.multiple = count
    training.part = validation.part = process()


def keep_batches(model: keras.Model) -> None:
    """Stop Keras from building a compiled model on several devices again, for which it takes batches of an epoch.

    `models.training.fit.build_metrics` has built everything already.
    """
    if keras.backend.backend() == "tensorflow" and device_count() > 1:
        model._maybe_symbolic_build = lambda *args, **options: None


@contextmanager
def synchronized_batch_norm(model: keras.Model) -> Iterator[None]:
    """Normalize by the statistics of the whole batch within the block. With JAX, this is always so."""
    layers = []
    if keras.backend.backend() == "tensorflow" and device_count() > 1:
        layers = [layer for layer in _layers(model) if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in layers:
        layer.synchronized = True
    try:
        yield
    finally:
        for layer in layers:  # a saved model can then be loaded with any backend
            layer.synchronized = False


def start_together(model: keras.Model, position: str) -> None:
    """Give a compiled model of every process the variables of process 0: computed features may differ by rounding.

    Args:
        model: the same in every process.
        position: describes the training and how far it is, the same in every process.

    Raises:
        InputError: the processes are not at the same position.
    """
    if process()[1] == 1:
        return
    from jax.experimental import multihost_utils

    code = np.uint32(zlib.crc32(position.encode()))
    if (multihost_utils.process_allgather(code) != code).any():
        raise InputError(
            f"the processes do not continue from the same state, this one is at {position}; "
            "copy the run folder of process 0 to the others, or delete all"
        )
    variables = [*model.variables, *model.optimizer.variables]
    values = multihost_utils.broadcast_one_to_all([np.asarray(variable) for variable in variables])
    for variable, value in zip(variables, values, strict=True):
        variable.assign(np.asarray(value))


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in model.layers:
        yield from _layers(layer) if isinstance(layer, keras.Model) else [layer]
