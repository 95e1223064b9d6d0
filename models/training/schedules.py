"""Learning rates, and weights of the heads in the loss, that change during training."""

import math
from collections.abc import Sequence

import keras
from keras import ops

from models.layers import Tensor


def head_weights(epoch: int, heads: Sequence[str], tau: float) -> dict[str, float]:
    """Return the weight of each head in the loss of an epoch.

    The first head always has the weight 1. The weight of head k (from 1) grows linearly from 0 in epoch (k − 1)·τ to 1
    in epoch k·τ. Source: Laurence & Murphy (2018), equations 4, the second of which is undefined from epoch 2τ on as
    printed.

    Args:
        epoch: number of the epoch, from 0.
        heads: in the order in which they join the loss.
        tau: τ, in epochs; with 0 all heads have the weight 1.
    """
    return {head: min(1.0, max(0.0, epoch / tau - k)) if k and tau else 1.0 for k, head in enumerate(heads)}


def plateau_rate(start: float, losses: Sequence[float], epochs: int = 5, factor: float = 0.5) -> float:
    """Return the learning rate of the next epoch: lower after a plateau of the validation loss.

    Args:
        start: learning rate of the first epoch.
        losses: validation loss of each finished epoch.
        epochs: number of epochs in a row without a new lowest loss after which the rate is lowered.
        factor: by which it is then multiplied.
    """
    rate, best, waited = start, math.inf, 0
    for loss in losses:
        best, waited = (loss, 0) if loss < best else (best, waited + 1)
        if waited == epochs:
            rate, waited = rate * factor, 0
    return rate


@keras.saving.register_keras_serializable("camera")
class Cycle(keras.optimizers.schedules.LearningRateSchedule):
    """One cycle (Smith 2018): a linear warm-up over a tenth of the steps, then a cosine decay to zero.

    Args:
        peak: highest learning rate.
        steps: number of training steps.
    """

    def __init__(self, peak: float, steps: int) -> None:
        self.peak, self.steps = peak, steps

    def __call__(self, step: Tensor) -> Tensor:
        step = ops.cast(step, "float32")
        warm = max(1.0, 0.1 * self.steps)
        down = ops.clip((step - warm) / max(1.0, self.steps - warm), 0.0, 1.0)
        cosine = 0.5 * (1.0 + ops.cos(math.pi * down))
        return self.peak * ops.where(step < warm, (step + 1.0) / (warm + 1.0), cosine)

    def get_config(self) -> dict[str, object]:
        return {"peak": self.peak, "steps": self.steps}
