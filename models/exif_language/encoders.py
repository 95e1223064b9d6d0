"""Encoders of patches and of EXIF texts, both to unit vectors of one space."""

import keras
from keras import layers, ops

from competition.utils.errors import InputError
from models.backbones import build_backbone, find_backbone
from models.exif_language.recipe import check_encoder
from models.exif_language.tokenizer import PAD
from models.front_ends.conv_stem import feature_maps
from models.front_ends.dct import BlockDct, CoefficientHistograms
from models.layers import Normalize, Tensor
from models.members import CONVNET, DCTNET

DENSE = (384, 256)  # widths of the layers behind the histograms of DCT magnitudes
DROPOUT = 0.3  # before each of them
MLP_RATIO = 4  # width of the hidden layer of a block, relative to the width of the block


def image_encoder(member: str, width: int, weights: str | None = None, momentum: float = 0.9) -> keras.Model:
    """Build an encoder of patches: pixels → features of the member → projection → norm 1.

    The features of `dctnet` are dense layers behind histograms of block-DCT magnitudes. Those of other members are
    averaged over the patch. Both are of one width for patches of any size.

    Args:
        member: one of `models.exif_language.recipe.ENCODERS`.
        width: width of the joint space.
        weights: `"imagenet"` for a backbone that has ImageNet weights, or None for random ones.
        momentum: of the running mean and variance of BatchNorm.

    Returns:
        A model from patches, uint8 (batch, side, side, 3) in 0…255, of any side that the member can take, to unit
        vectors, float32 (batch, width).

    Raises:
        InputError: an unknown member, or weights that are not available.
    """
    check_encoder(member)
    if member in (CONVNET, DCTNET) and weights is not None:
        raise InputError(f"{member} has no weights {weights}; use random ones")
    pixels = keras.Input((None, None, 3), dtype="uint8", name="patch")
    if member == DCTNET:
        return keras.Model(pixels, project(_dct_features(pixels, momentum), width), name="image")
    if member == CONVNET:
        maps = feature_maps(pixels, momentum)[-1]
    else:
        normalized = Normalize(find_backbone(member).mode, name="normalize")(pixels)
        maps = build_backbone(member, 3, weights, momentum)(normalized)
    features = layers.GlobalAveragePooling2D(name="features")(maps)
    return keras.Model(pixels, project(features, width), name="image")


def _dct_features(pixels: Tensor, momentum: float) -> Tensor:
    """Features (batch, width) of the distribution of every DCT coefficient over the blocks of a patch."""
    x = CoefficientHistograms(name="histograms")(BlockDct(name="dct")(pixels))
    x = layers.BatchNormalization(momentum=momentum, name="histograms_bn")(x)
    for number, units in enumerate(DENSE):
        x = layers.Dropout(DROPOUT, name=f"dropout_{number}")(x)
        x = layers.Dense(units, use_bias=False, name=f"dense_{number}")(x)
        x = layers.BatchNormalization(momentum=momentum, name=f"dense_{number}_bn")(x)
        x = layers.Activation("relu", name=f"dense_{number}_relu")(x)
    return x


def text_encoder(
    vocabulary: int, length: int, width: int, blocks: int = 2, heads: int = 4, inner: int = 64
) -> keras.Model:
    """Build an encoder of texts: a Transformer whose output does not depend on the padding.

    Embeddings of tokens and positions → blocks of attention and MLP, each behind a normalization (Xiong et al. 2020) →
    mean over the tokens that are not padding → projection → norm 1.

    Args:
        vocabulary: number of tokens, `Tokenizer.size`.
        length: number of tokens of a text.
        width: width of the joint space.
        blocks: number of blocks.
        heads: number of attention heads.
        inner: width of the Transformer.

    Returns:
        A model from tokens, int32 (batch, length) with padding 0 and at least one other token in each row, to unit
        vectors, float32 (batch, width).

    Raises:
        InputError: `inner` is not a multiple of `heads`.
    """
    if inner % heads:
        raise InputError(f"expected a Transformer width that is a multiple of the {heads} heads, received {inner}")
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    is_token = ops.not_equal(tokens, PAD)
    mask = ops.expand_dims(is_token, 1)  # (batch, 1, length): no position attends to padding
    x = layers.Embedding(vocabulary, inner, name="token_embedding")(tokens)
    x = PositionEmbedding(name="position_embedding")(x)
    for number in range(blocks):
        y = layers.LayerNormalization(name=f"attention_{number}_norm")(x)
        attention = layers.MultiHeadAttention(heads, inner // heads, name=f"attention_{number}")
        x = layers.Add(name=f"attention_{number}_sum")([x, attention(y, y, attention_mask=mask)])
        y = layers.LayerNormalization(name=f"mlp_{number}_norm")(x)
        y = layers.Dense(MLP_RATIO * inner, activation="gelu", name=f"mlp_{number}_in")(y)
        y = layers.Dense(inner, name=f"mlp_{number}_out")(y)
        x = layers.Add(name=f"mlp_{number}_sum")([x, y])
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.GlobalAveragePooling1D(name="mean")(x, mask=is_token)
    return keras.Model(tokens, project(x, width), name="text")


@keras.saving.register_keras_serializable("camera")
class PositionEmbedding(layers.Layer):
    """Add a learned vector to each position of a sequence: (batch, length, width) in and out."""

    def build(self, shape: tuple[int | None, int, int]) -> None:
        initializer = keras.initializers.RandomNormal(stddev=0.02)
        self.positions = self.add_weight(shape=shape[1:], initializer=initializer, name="positions")

    def call(self, x: Tensor) -> Tensor:
        return x + self.positions


def project(features: Tensor, width: int) -> Tensor:
    """Project features (batch, any) linearly to float32 (batch, width), each row of norm 1."""
    x = layers.Dense(width, use_bias=False, dtype="float32", name="projection")(features)
    return layers.UnitNormalization(dtype="float32", name="embedding")(x)
