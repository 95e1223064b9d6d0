"""Learning rates that change from step to step."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


def head_weights(epoch: int, heads: Sequence[str], tau: float) -> dict[str, float]:
    """How much each head counts in the loss of an epoch (from 0), in the order in which they join.

    The first always counts 1; head k (from 1) grows in a line from 0 at epoch (k − 1)·τ to 1 at k·τ: Laurence & Murphy
    (2018), equations 4, of which the printed second leaves epochs from 2τ on undefined. τ = 0: all count 1.
    """
    return {head: min(1.0, max(0.0, epoch / tau - k)) if k and tau else 1.0 for k, head in enumerate(heads)}


@keras.saving.register_keras_serializable("camera")
class Cycle(keras.optimizers.schedules.LearningRateSchedule):
    """One cycle (Smith 2018): over a tenth of `steps` up to `peak` in a line, then down to zero in a cosine."""

    def __init__(self, peak: float, steps: int) -> None:
        self.peak, self.steps = peak, steps

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        warm = max(1.0, 0.1 * self.steps)
        down = ops.clip((step - warm) / max(1.0, self.steps - warm), 0.0, 1.0)
        cosine = 0.5 * (1.0 + ops.cos(math.pi * down))
        return self.peak * ops.where(step < warm, (step + 1.0) / (warm + 1.0), cosine)

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "steps": self.steps}
