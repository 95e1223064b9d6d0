"""What stands between the pixels and a backbone: nothing, a fixed high-pass filter, or a learned stem behind it."""

from typing import Any

from keras import layers

from models.layers import HighPass

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
