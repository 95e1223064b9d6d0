"""Normalization as layers without weights. They belong to a network, so that a saved model takes raw pixels."""

from collections.abc import Sequence
from typing import TypeAlias

import keras
from keras import ops

Tensor: TypeAlias = keras.KerasTensor

_MEAN_BGR = (103.939, 116.779, 123.68)  # of ImageNet, as the Caffe models subtract it
_MEAN_RGB = (0.485, 0.456, 0.406)  # of ImageNet, on pixels in 0…1
_DEVIATION_RGB = (0.229, 0.224, 0.225)


@keras.saving.register_keras_serializable("camera")
class Normalize(keras.layers.Layer):
    """Normalize pixels in 0…255 as a backbone of `keras.applications` expects; (batch, h, w, 3) in and out.

    It equals the backbone's `preprocess_input`, which stands outside the model, so that a saved model lacks it.

    Args:
        mode: Keras' name of the convention: `caffe` (BGR minus the mean), `torch` (standardized RGB) or `tf` (−1…1).
    """

    def __init__(self, mode: str, **options: object) -> None:
        super().__init__(**options)
        self.mode = mode

    def call(self, pixels: Tensor) -> Tensor:
        x = ops.cast(pixels, self.compute_dtype)
        if self.mode == "caffe":
            return ops.flip(x, axis=-1) - ops.cast(_MEAN_BGR, x.dtype)
        if self.mode == "torch":
            return (x / 255 - ops.cast(_MEAN_RGB, x.dtype)) / ops.cast(_DEVIATION_RGB, x.dtype)
        return x / 127.5 - 1

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "mode": self.mode}


@keras.saving.register_keras_serializable("camera")
class Standardize(keras.layers.Layer):
    """Subtract the mean of each color and divide by its standard deviation; (batch, h, w, 3) in and out.

    Args:
        mean: of red, green and blue, gray levels in 0…255.
        deviation: standard deviations of red, green and blue, gray levels.
    """

    def __init__(self, mean: Sequence[float], deviation: Sequence[float], **options: object) -> None:
        super().__init__(**options)
        self.mean, self.deviation = tuple(mean), tuple(deviation)

    def call(self, pixels: Tensor) -> Tensor:
        x = ops.cast(pixels, self.compute_dtype)
        return (x - ops.cast(self.mean, x.dtype)) / ops.cast(self.deviation, x.dtype)

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "mean": self.mean, "deviation": self.deviation}
