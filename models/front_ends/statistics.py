"""Local statistics of a photo as fixed layers without weights, and a small network over their distribution.

Camera settings leave traces everywhere in a photo: the ISO noise, the aperture softness and depth of field, the
exposure time motion. All of them change how much energy the finest details have, at which scale, in which direction,
and how it varies over the photo, but hardly where.
"""

import math
from itertools import pairwise

import keras
from keras import layers, ops

from models.front_ends.registry import FrontEndOutput
from models.layers import Tensor
from models.recipe import Recipe

SCALES = 4
CELL = 8  # pixels: the side of a cell over which energies are averaged
MIN_ENERGY = 0.01  # squared gray levels: less is rounding, not detail
LUMINANCE = (0.299, 0.587, 0.114)
QUANTILES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
LUMINANCE_EDGES = (-1.0, 60.0, 120.0, 180.0, 256.0)  # gray levels: noise depends on brightness
CHANNELS = 3 + SCALES * (3 + 2 + 6)  # of `EnergyMaps`

Shape = tuple[int | None, ...]


def build(pixels: Tensor, is_manipulated: Tensor, recipe: Recipe, smallest: int) -> FrontEndOutput:
    """See `models.front_ends.registry.FrontEnd`. The image has one pixel for each cell, repeated if it is too small."""
    maps = EnergyMaps(name="front_end_maps")(pixels)
    x = Distribution(name="front_end_distribution")(maps)
    x = layers.BatchNormalization(momentum=recipe.momentum, name="front_end_bn")(x)
    x = layers.Dropout(recipe.dropout / 2, name="front_end_dropout")(x)
    for width in (128, 64):
        x = layers.Dense(width, activation="relu", name=f"front_end_dense_{width}")(x)
        x = layers.Dropout(recipe.dropout, name=f"front_end_dropout_{width}")(x)
    hidden = layers.Concatenate(name="front_end_evidence")([is_manipulated, x])
    times = math.ceil(smallest / (recipe.patches.size // CELL))
    return FrontEndOutput(layers.UpSampling2D(times, name="repeat")(maps) if times > 1 else maps, x, hidden)


@keras.saving.register_keras_serializable("camera")
class EnergyMaps(keras.layers.Layer):
    """Statistics of every cell of 8×8 pixels: (batch, h, w, 3) in 0…255 → (batch, h / 8, w / 8, CHANNELS).

    The channels are the mean luminance, blue difference and red difference of the cell, and for each of four scales,
    each half the size of the one before: the logarithms of the energies of the high-pass residuals, the logarithms of
    the energies of the vertical and horizontal differences of the luminance, and the correlations of the residuals with
    their neighbors, because denoising and demosaicing correlate the noise.
    """

    def call(self, pixels: Tensor) -> Tensor:
        x = ops.cast(pixels, "float32")
        y = ops.sum(x * ops.convert_to_tensor(LUMINANCE, "float32"), axis=-1, keepdims=True)
        x = ops.concatenate([y, x[..., 2:] - y, x[..., :1] - y], axis=-1)
        maps = [_mean(x, CELL) / 64]
        for scale in range(SCALES):
            cell = CELL >> scale
            residual = x - ops.average_pool(x, 3, strides=1, padding="same")
            energy = _mean(residual * residual, cell)
            maps.append(_log(energy))
            for axis in (1, 2):
                neighbor = ops.roll(residual, 1, axis=axis)
                maps.append(_mean(residual * neighbor, cell) / (energy + MIN_ENERGY))
                difference = x[..., :1] - ops.roll(x[..., :1], 1, axis=axis)
                maps.append(_log(_mean(difference * difference, cell)))
            x = _mean(x, 2)
        return ops.concatenate(maps, axis=-1)

    def compute_output_shape(self, shape: Shape) -> Shape:
        rows, columns = (None if side is None else side // CELL for side in shape[1:3])
        return shape[0], rows, columns, CHANNELS


@keras.saving.register_keras_serializable("camera")
class Distribution(keras.layers.Layer):
    """Distribution of `EnergyMaps` over a photo: (batch, rows, columns, CHANNELS) → (batch, features).

    The features are seven quantiles of every channel, and its mean within four ranges of luminance.
    """

    def call(self, maps: Tensor) -> Tensor:
        shape = ops.shape(maps)
        cells = ops.reshape(maps, (-1, shape[1] * shape[2], CHANNELS))
        ordered, last = ops.sort(cells, axis=1), ops.cast(shape[1] * shape[2] - 1, "float32")
        ranks = ops.cast(ops.round(ops.convert_to_tensor(QUANTILES, "float32") * last), "int32")
        parts = [ops.reshape(ops.take(ordered, ranks, axis=1), (-1, len(QUANTILES) * CHANNELS))]
        gray = cells[..., :1] * 64
        for low, high in pairwise(LUMINANCE_EDGES):
            inside = ops.cast((gray > low) & (gray <= high), "float32")
            parts.append(ops.sum(cells * inside, axis=1) / (ops.sum(inside, axis=1) + 1))
        return ops.concatenate(parts, axis=-1)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return shape[0], (len(QUANTILES) + len(LUMINANCE_EDGES) - 1) * CHANNELS


def _mean(x: Tensor, size: int) -> Tensor:
    return ops.average_pool(x, size, strides=size, padding="valid") if size > 1 else x


def _log(energy: Tensor) -> Tensor:
    return ops.log(energy + MIN_ENERGY) / 3
