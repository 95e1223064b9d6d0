"""Patches of photographs to unit vectors: a backbone, or the learned stem alone, under a projection."""

import keras
from keras import layers

from competition.errors import InputError
from models.backbones import STEM, backbone, trunk
from models.contrast_presets import smallest_patch
from models.fronts import stem
from models.layers import Normalise
from models.text_encoder import unit

PATCH = 124  # pixels, of Zheng, Shrivastava and Owens (2023)


def image_encoder(
    member: str, width: int, patch: int = PATCH, weights: str | None = None, momentum: float = 0.9
) -> keras.Model:
    """Pixels → features of the member, averaged over the patch → dense projection → length 1.

    Args:
        member: a name of `models.backbones.MEMBERS`.
        width: of the space shared with texts.
        patch: side of a patch, pixels.
        weights: `"imagenet"` for a backbone that Keras has those weights of, or None for random ones.
        momentum: of BatchNorm's running mean and variance.

    Returns:
        A model from patches, uint8 (batch, patch, patch, 3) with values 0…255, to unit vectors, float32 (batch, width).

    Raises:
        InputError: an unknown member, a patch too small for it, or weights that cannot be had.
    """
    if patch < smallest_patch(member):
        raise InputError(f"{member} needs patches of at least {smallest_patch(member)} pixels, received {patch}")
    if member == STEM and weights is not None:
        raise InputError(f"there are no weights {weights} for {STEM}; leave them out")
    pixels = keras.Input((patch, patch, 3), dtype="uint8", name="patch")
    if member == STEM:
        maps = stem(pixels, momentum)[-1]
    else:
        body = trunk(member, 3, weights)
        for layer in body.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.momentum = momentum
        maps = body(Normalise(backbone(member).mode, name="normalise")(pixels))
    features = layers.GlobalAveragePooling2D(name="features")(maps)
    return keras.Model(pixels, unit(features, width), name="image")
