"""The photo minus its local mean."""

import keras
from keras import ops

from models.front_ends.registry import FrontEndOutput
from models.layers import Tensor
from models.recipe import Recipe


@keras.saving.register_keras_serializable("camera")
class HighPass(keras.layers.Layer):
    """Subtract the local mean; (batch, h, w, 3) pixels in 0…255 in, −`clip`…`clip` out.

    The traces of a camera (demosaicing, denoising, sharpening, the JPEG grid) lie in the last few gray levels. Without
    the scene, a network trained from scratch saves the epochs that it would need to learn this filter (compare the
    constrained convolution of Bayar & Stamm 2016). Strong edges of the scene are clipped.

    Args:
        window: side of the square over which the mean is taken, pixels.
        gain: factor of the difference.
        clip: largest absolute value of the output.
    """

    def __init__(self, window: int = 5, gain: float = 1.0, clip: float = 4.0, **options: object) -> None:
        super().__init__(**options)
        self.window, self.gain, self.clip = window, gain, clip

    def call(self, pixels: Tensor) -> Tensor:
        x = ops.cast(pixels, "float32")  # in half precision the difference of two similar values would lose its bits
        mean = ops.average_pool(x, self.window, strides=1, padding="same")
        return ops.cast(ops.clip((x - mean) * self.gain, -self.clip, self.clip), self.compute_dtype)

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "window": self.window, "gain": self.gain, "clip": self.clip}


def build(pixels: Tensor, is_manipulated: Tensor, recipe: Recipe, smallest: int) -> FrontEndOutput:
    """See `models.front_ends.registry.FrontEnd`."""
    return FrontEndOutput(HighPass(name="high_pass")(pixels))
