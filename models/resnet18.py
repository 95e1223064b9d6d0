"""ResNet-18 (He et al. 2015, table 1) and SE-ResNet-18 (Hu et al. 2017), which `keras.applications` lacks."""

import keras
from keras import layers

from models.layers import Tensor

STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))  # channels, and the stride of the first of two blocks
REDUCTION = 16  # factor by which squeeze-and-excitation reduces the channels


def resnet18(
    weights: str | None, input_shape: tuple[int | None, int | None, int], squeeze: bool = False
) -> keras.Model:
    """Build the backbone without a classifier: (batch, height, width, channels) → (batch, rows, columns, 512).

    Rows and columns are a 32nd of height and width, rounded up.

    Args:
        weights: None, because there are no published weights in the format of Keras.
        input_shape: height, width and channels; the first two may be None.
        squeeze: whether squeeze-and-excitation weighs the channels of every block.

    Raises:
        ValueError: `weights` is not None.
    """
    if weights is not None:
        raise ValueError(f"ResNet-18 has no {weights} weights in the format of Keras")
    image = keras.Input(input_shape)
    x = _convolution(image, 64, 7, 2, "conv1")
    x = layers.MaxPooling2D(3, 2, padding="same", name="pool1")(layers.Activation("relu", name="conv1_relu")(x))
    for stage, (channels, stride) in enumerate(STAGES, start=2):
        for block, step in enumerate((stride, 1), start=1):
            x = _block(x, channels, step, squeeze, f"conv{stage}_block{block}")
    return keras.Model(image, x, name="se_resnet18" if squeeze else "resnet18")


def _block(x: Tensor, channels: int, stride: int, squeeze: bool, name: str) -> Tensor:
    short = x
    if stride > 1 or x.shape[-1] != channels:
        short = _convolution(x, channels, 1, stride, f"{name}_0")
    x = layers.Activation("relu", name=f"{name}_1_relu")(_convolution(x, channels, 3, stride, f"{name}_1"))
    x = _convolution(x, channels, 3, 1, f"{name}_2")
    if squeeze:
        weight = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(x)
        weight = layers.Dense(channels // REDUCTION, activation="relu", name=f"{name}_reduce")(weight)
        weight = layers.Dense(channels, activation="sigmoid", name=f"{name}_excite")(weight)
        x = layers.Multiply(name=f"{name}_scale")([x, weight])
    return layers.Activation("relu", name=f"{name}_out")(layers.Add(name=f"{name}_add")([short, x]))


def _convolution(x: Tensor, channels: int, size: int, stride: int, name: str) -> Tensor:
    options = {"use_bias": False, "kernel_initializer": "he_normal"}
    x = layers.Conv2D(channels, size, stride, padding="same", name=name, **options)(x)
    return layers.BatchNormalization(epsilon=1e-5, name=f"{name}_bn")(x)
