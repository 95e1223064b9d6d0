"""What stands between the pixels and a backbone: nothing, a high-pass filter, a learned stem, or local statistics."""

import math
from typing import Any

from keras import layers

from models.layers import HighPass
from models.recipe import Recipe
from models.statistics import Distribution, EnergyMaps

# (channels, stride) of the stem's convolutions. The first keep full resolution: demosaicing lives in single pixels, and
# a backbone for objects halves the image twice before it has looked.
LAYERS = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2))


def stem(pixels: Any, momentum: float) -> list[Any]:
    """The stem's maps on pixels (batch, h, w, 3) 0…255: one per line of `LAYERS`, (batch, rows, columns, channels)."""
    x, maps = HighPass(name="high_pass")(pixels), []
    for i, (channels, stride) in enumerate(LAYERS):
        x = layers.Conv2D(channels, 3, stride, padding="same", use_bias=False, name=f"stem_{i}")(x)
        x = layers.BatchNormalization(momentum=momentum, name=f"stem_{i}_bn")(x)
        x = layers.Activation("relu", name=f"stem_{i}_relu")(x)
        maps.append(x)
    return maps


def deepest(maps: list[Any], patch: int, smallest: int) -> Any:
    """The last of the stem's maps that is at least `smallest` wide on patches of `patch` pixels."""
    side, found = patch, maps[0]
    for (_, stride), x in zip(LAYERS, maps, strict=True):
        side = -(-side // stride)
        if side >= smallest:
            found = x
    return found


def statistics(pixels: Any, recipe: Recipe) -> tuple[Any, Any]:
    """The maps of local statistics (batch, h / 8, w / 8, channels), and what a small network makes of their
    distribution over the picture: (batch, 64)."""
    maps = EnergyMaps(name="stem_maps")(pixels)
    x = layers.BatchNormalization(momentum=recipe.momentum, name="stem_scale")(Distribution(name="stem_shares")(maps))
    x = layers.Dropout(recipe.dropout / 2, name="stem_dropout")(x)
    for width in (128, 64):
        x = layers.Dense(width, activation="relu", name=f"stem_dense_{width}")(x)
        x = layers.Dropout(recipe.dropout, name=f"stem_dropout_{width}")(x)
    return maps, x


def at_least(maps: Any, side: int, smallest: int) -> Any:
    """Maps that are `side` cells wide in training, repeated until a backbone can take them."""
    times = math.ceil(smallest / side)
    return maps if times == 1 else layers.UpSampling2D(times, name="repeated")(maps)
