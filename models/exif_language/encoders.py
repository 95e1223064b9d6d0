"""Patches of photographs to unit vectors: a backbone, or the learned stem alone, under a projection."""

import keras
from keras import layers

from competition.utils.errors import InputError
from models.backbones import STEM, backbone, trunk
from models.exif_language.text_encoder import unit
from models.front_ends import stem
from models.layers import Normalize


def image_encoder(member: str, width: int, weights: str | None = None, momentum: float = 0.9) -> keras.Model:
    """Pixels → features of the member, averaged over the patch → dense projection → length 1.

    Args:
        member: a name of `models.backbones.MEMBERS`.
        width: of the space shared with texts.
        weights: `"imagenet"` for a backbone that Keras has those weights of, or None for random ones.
        momentum: of BatchNorm's running mean and variance.

    Returns:
        A model from patches, uint8 (batch, side, side, 3) with values 0…255, of any side that the member can take, to
        unit vectors, float32 (batch, width).

    Raises:
        InputError: an unknown member, or weights that cannot be had.
    """
    if member == STEM and weights is not None:
        raise InputError(f"there are no weights {weights} for {STEM}; leave them out")
    pixels = keras.Input((None, None, 3), dtype="uint8", name="patch")
    if member == STEM:
        maps = stem(pixels, momentum)[-1]
    else:
        body = trunk(member, 3, weights)
        for layer in body.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.momentum = momentum
        maps = body(Normalize(backbone(member).mode, name="normalize")(pixels))
    features = layers.GlobalAveragePooling2D(name="features")(maps)
    return keras.Model(pixels, unit(features, width), name="image")
