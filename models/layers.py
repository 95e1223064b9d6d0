"""Fixed layers: they have no weights, belong to a network, and let a saved model take raw pixels."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

_MEAN_BGR = (103.939, 116.779, 123.68)  # of ImageNet, as the Caffe models subtract it
_MEAN_RGB = (0.485, 0.456, 0.406)  # of ImageNet, on pixels in 0…1
_DEVIATION_RGB = (0.229, 0.224, 0.225)


@keras.saving.register_keras_serializable("camera")
class Normalize(keras.layers.Layer):
    """Pixels 0…255 → what a backbone of `keras.applications` was trained on; (batch, h, w, 3) in and out.

    `mode` is Keras' own name of the convention: `caffe` (BGR minus the mean), `torch` (standardized RGB) or `tf`
    (−1…1). `preprocess_input` does the same outside of the model, where a saved model forgets it.
    """

    def __init__(self, mode: str, **options: Any) -> None:
        super().__init__(**options)
        self.mode = mode

    def call(self, pixels: Any) -> Any:
        x = ops.cast(pixels, self.compute_dtype)
        if self.mode == "caffe":
            return ops.flip(x, axis=-1) - ops.cast(_MEAN_BGR, x.dtype)
        if self.mode == "torch":
            return (x / 255 - ops.cast(_MEAN_RGB, x.dtype)) / ops.cast(_DEVIATION_RGB, x.dtype)
        return x / 127.5 - 1

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self.mode}


@keras.saving.register_keras_serializable("camera")
class Standardize(keras.layers.Layer):
    """Pixels 0…255 minus `mean`, over `deviation`, by color; (batch, h, w, 3) in and out."""

    def __init__(self, mean: Sequence[float], deviation: Sequence[float], **options: Any) -> None:
        super().__init__(**options)
        self.mean, self.deviation = tuple(mean), tuple(deviation)

    def call(self, pixels: Any) -> Any:
        x = ops.cast(pixels, self.compute_dtype)
        return (x - ops.cast(self.mean, x.dtype)) / ops.cast(self.deviation, x.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "deviation": self.deviation}


@keras.saving.register_keras_serializable("camera")
class HighPass(keras.layers.Layer):
    """The photograph minus its local mean, amplified; (batch, h, w, 3) pixels 0…255 in, −4…4 out.

    What a camera leaves behind (demosaicing, denoising, sharpening, the JPEG grid) lives in the last few gray levels;
    taking the scene away first saves a network trained from scratch the epochs it would need to learn this filter
    (compare the constrained convolution of Bayar & Stamm 2016). Strong edges of the scene are clipped.
    """

    def __init__(self, window: int = 5, gain: float = 1.0, clip: float = 4.0, **options: Any) -> None:
        super().__init__(**options)
        self.window, self.gain, self.clip = window, gain, clip

    def call(self, pixels: Any) -> Any:
        x = ops.cast(pixels, "float32")  # in half precision the difference of two near values would lose its bits
        mean = ops.average_pool(x, self.window, strides=1, padding="same")
        return ops.cast(ops.clip((x - mean) * self.gain, -self.clip, self.clip), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "window": self.window, "gain": self.gain, "clip": self.clip}
