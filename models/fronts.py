"""What stands between the pixels and a backbone: nothing, a fixed high-pass filter, or a learned stem behind it."""

from dataclasses import dataclass
from typing import Any

from keras import layers

from competition.errors import unknown_name
from models.backbones import backbone
from models.layers import HighPass, Normalise

FRONTS = ("none", "residual", "stem")

# (channels, stride) of the stem's convolutions. The first keep full resolution: demosaicing lives in single pixels, and
# a backbone for objects halves the image twice before it has looked.
STEM = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2))


@dataclass(frozen=True)
class Front:
    """`image` feeds the backbone, (batch, h, w, channels); `features`, if any, join the head, (batch, features)."""

    image: Any
    features: Any = None


def front(kind: str, pixels: Any, member: str) -> Front:
    """Build a front of `kind` (a name of `FRONTS`) on pixels (batch, h, w, 3) 0…255 for the backbone `member`."""
    if kind == "none":
        return Front(Normalise(backbone(member).mode, name="normalise")(pixels))
    if kind == "residual":
        return Front(HighPass(name="high_pass")(pixels))
    if kind == "stem":
        return _stem(HighPass(name="high_pass")(pixels), smallest=backbone(member).smallest)
    raise unknown_name("front", kind, FRONTS)


def _stem(x: Any, smallest: int) -> Front:
    """Convolutions that keep full resolution at first; the backbone starts from their smallest map it can take."""
    image = x
    for i, (channels, stride) in enumerate(STEM):
        x = layers.Conv2D(channels, 3, stride, padding="same", use_bias=False, name=f"stem_{i}")(x)
        x = layers.BatchNormalization(name=f"stem_{i}_bn")(x)
        x = layers.Activation("relu", name=f"stem_{i}_relu")(x)
        if x.shape[1] >= smallest:
            image = x
    return Front(image, layers.GlobalAveragePooling2D(name="stem_features")(x))
