"""Text of EXIF, as tokens, to a unit vector: a small Transformer."""

from typing import Any

import keras
from keras import layers, ops

from competition.utils.errors import InputError
from models.exif_language.tokenizer import PAD

GROWTH = 4  # how much wider the hidden layer of a block is than the block


@keras.saving.register_keras_serializable("camera")
class Positions(layers.Layer):
    """Adds a learned vector to each place of a sequence: (batch, length, width) in and out."""

    def build(self, shape: Any) -> None:
        self.places = self.add_weight(
            shape=shape[1:], initializer=keras.initializers.RandomNormal(stddev=0.02), name="places"
        )

    def call(self, x: Any) -> Any:
        return x + self.places


def text_encoder(
    vocabulary: int, length: int, width: int, blocks: int = 2, heads: int = 4, inner: int = 64
) -> keras.Model:
    """A Transformer whose answer does not depend on how far its texts are padded.

    Token and learned position embeddings → blocks of attention and MLP, each normalized before (Xiong et al. 2020) →
    mean over the tokens that are no padding → dense projection → length 1.

    Args:
        vocabulary: number of tokens, `Tokenizer.size`.
        length: tokens of a text.
        width: of the space shared with images.
        blocks, heads, inner: of the Transformer; `inner` is its width.

    Returns:
        A model from tokens, int32 (batch, length) with padding 0, each row with at least one token, to unit vectors,
        float32 (batch, width).

    Raises:
        InputError: `inner` is no multiple of `heads`.
    """
    if inner % heads:
        raise InputError(f"a Transformer {inner} wide has no {heads} equal heads; give a multiple")
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    told = ops.not_equal(tokens, PAD)
    seen = ops.expand_dims(told, 1)  # (batch, 1, length): every place looks at what is told, and at nothing else
    x = layers.Embedding(vocabulary, inner, name="tokens_embedded")(tokens)
    x = Positions(name="positions")(x)
    for number in range(blocks):
        y = layers.LayerNormalization(name=f"attention_{number}_norm")(x)
        attention = layers.MultiHeadAttention(heads, inner // heads, name=f"attention_{number}")
        x = layers.Add(name=f"attention_{number}_sum")([x, attention(y, y, attention_mask=seen)])
        y = layers.LayerNormalization(name=f"mlp_{number}_norm")(x)
        y = layers.Dense(GROWTH * inner, activation="gelu", name=f"mlp_{number}_in")(y)
        y = layers.Dense(inner, name=f"mlp_{number}_out")(y)
        x = layers.Add(name=f"mlp_{number}_sum")([x, y])
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.GlobalAveragePooling1D(name="mean")(x, mask=told)
    return keras.Model(tokens, unit(x, width), name="text")


def unit(features: Any, width: int) -> Any:
    """Features (batch, any) projected to float32 (batch, width), each row of length 1."""
    x = layers.Dense(width, use_bias=False, dtype="float32", name="projection")(features)
    return layers.UnitNormalization(dtype="float32", name="embedding")(x)
