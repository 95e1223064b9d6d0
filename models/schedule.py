"""Learning rates that change from step to step."""

import math
from typing import Any

import keras
from keras import ops


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
