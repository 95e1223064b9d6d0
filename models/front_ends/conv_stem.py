"""A small convolutional network at full resolution, behind a high-pass filter.

Demosaicing shows in single pixels, and a backbone for objects halves the image twice before its first block.
"""

from keras import layers

from models.front_ends.high_pass import HighPass
from models.front_ends.registry import FrontEndOutput
from models.layers import Tensor
from models.recipe import Recipe

LAYERS = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2))  # channels and stride of the convolutions


def build(pixels: Tensor, is_manipulated: Tensor, recipe: Recipe, smallest: int) -> FrontEndOutput:
    """See `models.front_ends.registry.FrontEnd`. The image is the last feature map that is large enough."""
    maps = feature_maps(pixels, recipe.momentum)
    features = layers.GlobalAveragePooling2D(name="front_end_features")(maps[-1])
    x = layers.Concatenate(name="front_end_evidence")([is_manipulated, features])
    x = layers.Dense(128, activation="relu", name="front_end_dense")(x)
    hidden = layers.Dropout(recipe.dropout, name="front_end_dropout")(x)
    return FrontEndOutput(_last_large_enough(maps, recipe.patches.size, smallest), features, hidden)


def feature_maps(pixels: Tensor, momentum: float) -> list[Tensor]:
    """The feature maps of pixels (batch, h, w, 3) in 0…255, (batch, rows, columns, channels), one for each of `LAYERS`.

    `momentum` is that of the running mean and variance of BatchNorm.
    """
    x, maps = HighPass(name="high_pass")(pixels), []
    for i, (channels, stride) in enumerate(LAYERS):
        x = layers.Conv2D(channels, 3, stride, padding="same", use_bias=False, name=f"front_end_{i}")(x)
        x = layers.BatchNormalization(momentum=momentum, name=f"front_end_{i}_bn")(x)
        x = layers.Activation("relu", name=f"front_end_{i}_relu")(x)
        maps.append(x)
    return maps


def _last_large_enough(maps: list[Tensor], patch: int, smallest: int) -> Tensor:
    """The last feature map that is at least `smallest` wide for patches of `patch` pixels."""
    side, found = patch, maps[0]
    for (_, stride), x in zip(LAYERS, maps, strict=True):
        side = -(-side // stride)
        if side >= smallest:
            found = x
    return found
