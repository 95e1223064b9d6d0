"""Losses of classifiers that Keras does not have."""

import keras
from keras import ops

from models.layers import Tensor


@keras.saving.register_keras_serializable("camera")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy of integer labels with label smoothing (Szegedy et al. 2016, section 7).

    The target of the true class is 1 − smoothing, and `smoothing` is spread evenly over all classes.

    Args:
        smoothing: from 0, below 1.
        kwargs: of `keras.losses.Loss`.
    """

    def __init__(self, smoothing: float, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.smoothing = smoothing

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of every example, (batch,), from labels (batch,) and probabilities (batch, classes)."""
        logarithms = ops.log(ops.clip(y_pred, keras.config.epsilon(), 1.0))
        of_truth = ops.take_along_axis(logarithms, ops.reshape(ops.cast(y_true, "int32"), (-1, 1)), axis=-1)[:, 0]
        return -(1.0 - self.smoothing) * of_truth - self.smoothing * ops.mean(logarithms, axis=-1)

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "smoothing": self.smoothing}
