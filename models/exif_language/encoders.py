"""Patches of photographs to unit vectors: a backbone, or the learned stem alone, under a projection."""

import keras
from keras import layers

from competition.utils.errors import InputError
from models.backbones import build_backbone, find_backbone
from models.exif_language.recipe import check_encoder
from models.exif_language.text_encoder import unit
from models.front_ends.conv_stem import feature_maps
from models.layers import Normalize
from models.members import CONVNET


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
    check_encoder(member)
    if member == CONVNET and weights is not None:
        raise InputError(f"there are no weights {weights} for {CONVNET}; leave them out")
    pixels = keras.Input((None, None, 3), dtype="uint8", name="patch")
    if member == CONVNET:
        maps = feature_maps(pixels, momentum)[-1]
    else:
        backbone = build_backbone(member, 3, weights, momentum)
        maps = backbone(Normalize(find_backbone(member).mode, name="normalize")(pixels))
    features = layers.GlobalAveragePooling2D(name="features")(maps)
    return keras.Model(pixels, unit(features, width), name="image")
