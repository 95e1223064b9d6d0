"""The members of the ensemble: backbones, most of them of `keras.applications`, each with the normalization it expects.

To add one, add a line to `BACKBONES`; everything else (presets, training, prediction, the leaderboard) finds it there.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from competition.utils.errors import InputError, unknown_name

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Backbone:
    """How to build a backbone: its constructor, its pixel convention (`Normalize.mode`), its smallest input side, and
    whether Keras has ImageNet weights for it."""

    build: "Callable[..., keras.Model]"
    mode: str
    smallest: int
    pretrained: bool = True


def _application(name: str) -> "Callable[..., keras.Model]":
    """A constructor of `keras.applications`, looked up when called: this table must import without a framework."""

    def build(**options: Any) -> "keras.Model":
        from keras import applications

        return getattr(applications, name)(include_top=False, **options)

    return build


def _resnet18(squeeze: bool) -> "Callable[..., keras.Model]":
    def build(**options: Any) -> "keras.Model":
        from models.resnet18 import resnet18

        return resnet18(squeeze=squeeze, **options)

    return build


BACKBONES = {
    "resnet50": Backbone(_application("ResNet50"), "caffe", 32),
    "densenet201": Backbone(_application("DenseNet201"), "torch", 32),
    "inceptionresnetv2": Backbone(_application("InceptionResNetV2"), "tf", 75),
    "mobilenet": Backbone(_application("MobileNet"), "tf", 32),
    "resnet18": Backbone(_resnet18(squeeze=False), "torch", 32, pretrained=False),
    "se_resnet18": Backbone(_resnet18(squeeze=True), "torch", 32, pretrained=False),
}
ENSEMBLE = ("resnet50", "densenet201", "inceptionresnetv2", "mobilenet")  # what `train ensemble` trains by itself


STEM = "stem"  # the member that is a learned front without a backbone: small, quick, and no part of the ensemble
MEMBERS = (*BACKBONES, STEM)


def backbone(name: str) -> Backbone:
    """The backbone of that name, or an `InputError` that lists the known ones."""
    if name not in BACKBONES:
        raise unknown_name("member", name, BACKBONES)
    return BACKBONES[name]


def trunk(name: str, channels: int, weights: str | None) -> "keras.Model":
    """Build a backbone without its classifier, for images of any side it can take.

    Args:
        name: a key of `BACKBONES`.
        channels: of its input.
        weights: `"imagenet"`, or None for random ones.

    Returns:
        A model from (batch, height, width, channels) to a feature map (batch, rows, columns, features).

    Raises:
        InputError: the ImageNet weights can neither be found nor downloaded.
    """
    try:
        with warnings.catch_warnings():
            # A learned front hands over more than three channels, on purpose.
            warnings.filterwarnings("ignore", message=".*usually expects 1 or 3 input channels.*")
            return backbone(name).build(weights=weights, input_shape=(None, None, channels))
    except Exception as error:
        if weights is None:
            raise
        raise InputError(
            f"the ImageNet weights of {name} cannot be had ({_first_line(error)}); where there is no network, put the "
            "file named there into ~/.keras/models, or give --weights FILE, or train from scratch with --weights none"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
