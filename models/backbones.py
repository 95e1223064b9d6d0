"""Backbones, each with the normalization that it expects. Tested by tests/models/test_classifier.py.

To add one, add a line to `BACKBONES`; presets, training, prediction and the leaderboard find it there. This module
imports no framework, so that the command line can list the backbones at once.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from competition.utils.errors import InputError, unknown_name

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Backbone:
    """How to build a backbone.

    Attributes:
        build: constructor with the arguments `weights` and `input_shape`.
        mode: its pixel convention, see `models.layers.Normalize`.
        smallest: smallest side of its input, pixels.
        pretrained: whether Keras has ImageNet weights for it.
        parameters: their approximate number, for `models.resources`.
    """

    build: "Callable[..., keras.Model]"
    mode: str
    smallest: int
    pretrained: bool = True
    parameters: int = 0


def _application(name: str) -> "Callable[..., keras.Model]":
    """A constructor of `keras.applications`, looked up when it is called."""

    def build(**options: object) -> "keras.Model":
        from keras import applications

        return getattr(applications, name)(include_top=False, **options)

    return build


def _resnet18(squeeze: bool) -> "Callable[..., keras.Model]":
    def build(weights: str | None, input_shape: tuple[int | None, int | None, int]) -> "keras.Model":
        from models.resnet18 import resnet18

        return resnet18(weights, input_shape, squeeze)

    return build


BACKBONES = {
    "resnet50": Backbone(_application("ResNet50"), "caffe", 32, parameters=24_000_000),
    "densenet201": Backbone(_application("DenseNet201"), "torch", 32, parameters=18_000_000),
    "inceptionresnetv2": Backbone(_application("InceptionResNetV2"), "tf", 75, parameters=54_000_000),
    "mobilenet": Backbone(_application("MobileNet"), "tf", 32, parameters=3_000_000),
    "resnet18": Backbone(_resnet18(squeeze=False), "torch", 32, pretrained=False, parameters=11_000_000),
    "se_resnet18": Backbone(_resnet18(squeeze=True), "torch", 32, pretrained=False, parameters=11_000_000),
}


def find_backbone(name: str) -> Backbone:
    """Return the backbone of that name. Raises `InputError`, listing the known ones, for an unknown name."""
    if name not in BACKBONES:
        raise unknown_name("backbone", name, BACKBONES)
    return BACKBONES[name]


def build_backbone(name: str, channels: int, weights: str | None, momentum: float) -> "keras.Model":
    """Build a backbone without its classifier, for images of any side that it can take.

    Args:
        name: a key of `BACKBONES`.
        channels: number of channels of its input.
        weights: `"imagenet"`, or None for random ones.
        momentum: of the running mean and variance of BatchNorm. With Keras' default, 0.99, the validation loss stays
            at chance for the first hundreds of steps.

    Returns:
        A model from (batch, height, width, channels) to a feature map (batch, rows, columns, features).

    Raises:
        InputError: the ImageNet weights can neither be found nor downloaded.
    """
    from keras.layers import BatchNormalization

    try:
        with warnings.catch_warnings():
            # A learned front end passes on more than three channels, on purpose.
            warnings.filterwarnings("ignore", message=".*usually expects 1 or 3 input channels.*")
            model = find_backbone(name).build(weights=weights, input_shape=(None, None, channels))
    except Exception as error:
        if weights is None:
            raise
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(
            f"the ImageNet weights of {name} are not available ({reason}); without a network connection, put the file "
            "named there into ~/.keras/models, or give --weights FILE, or train from scratch with --weights none"
        ) from error
    for layer in model.layers:
        if isinstance(layer, BatchNormalization):
            layer.momentum = momentum
    return model
