"""Local statistics of a photograph: what the settings leave behind everywhere in it, as fixed layers without weights.

ISO leaves noise, the aperture softness and depth of field, the exposure time motion. All of them change how much energy
the finest details have, at which scale, in which direction, and how it varies over the picture; hardly where.
"""

from itertools import pairwise
from typing import Any

import keras
from keras import ops

SCALES = 4
CELL = 8  # pixels: the side of a cell over which energies are averaged
FLOOR = 0.01  # squared gray levels: below it is rounding, not detail
LUMINANCE = (0.299, 0.587, 0.114)
QUANTILES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
STRATA = (-1.0, 60.0, 120.0, 180.0, 256.0)  # gray levels: noise depends on brightness
CHANNELS = 3 + SCALES * (3 + 2 + 6)  # of `EnergyMaps`


@keras.saving.register_keras_serializable("camera")
class EnergyMaps(keras.layers.Layer):
    """Pixels (batch, h, w, 3) 0…255 → what the details of every cell are like: (batch, h / 8, w / 8, CHANNELS).

    Of every cell: the means of luminance, blue and red difference; and at each of four scales, each half the size of
    the one before, the logarithms of the energies of their high-pass residuals, those of the luminance's horizontal and
    vertical slopes, and the residuals' correlations with their neighbours (denoising and demosaicing color the noise).
    """

    def call(self, pixels: Any) -> Any:
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
                moved = ops.roll(residual, 1, axis=axis)
                maps.append(_mean(residual * moved, cell) / (energy + FLOOR))
                slope = x[..., :1] - ops.roll(x[..., :1], 1, axis=axis)
                maps.append(_log(_mean(slope * slope, cell)))
            x = _mean(x, 2)
        # Sides that do not divide by eight end in part of a cell at the finer scales only.
        rows, columns = ops.shape(maps[-1])[1], ops.shape(maps[-1])[2]
        return ops.concatenate([one[:, :rows, :columns] for one in maps], axis=-1)

    def compute_output_shape(self, shape: Any) -> Any:
        return (shape[0], *[None if side is None else side // CELL for side in shape[1:3]], CHANNELS)


@keras.saving.register_keras_serializable("camera")
class Distribution(keras.layers.Layer):
    """`EnergyMaps` (batch, rows, columns, CHANNELS) → how each is distributed over the picture: (batch, features).

    Seven quantiles of every map, and the mean of every map within four ranges of luminance.
    """

    def call(self, maps: Any) -> Any:
        shape = ops.shape(maps)
        cells = ops.reshape(maps, (-1, shape[1] * shape[2], CHANNELS))
        ordered, last = ops.sort(cells, axis=1), ops.cast(shape[1] * shape[2] - 1, "float32")
        ranks = ops.cast(ops.round(ops.convert_to_tensor(QUANTILES, "float32") * last), "int32")
        parts = [ops.reshape(ops.take(ordered, ranks, axis=1), (-1, len(QUANTILES) * CHANNELS))]
        gray = cells[..., :1] * 64
        for low, high in pairwise(STRATA):
            inside = ops.cast((gray > low) & (gray <= high), "float32")
            parts.append(ops.sum(cells * inside, axis=1) / (ops.sum(inside, axis=1) + 1))
        return ops.concatenate(parts, axis=-1)

    def compute_output_shape(self, shape: Any) -> Any:
        return (shape[0], (len(QUANTILES) + len(STRATA) - 1) * CHANNELS)


def _mean(x: Any, size: int) -> Any:
    return ops.average_pool(x, size, strides=size, padding="valid") if size > 1 else x


def _log(energy: Any) -> Any:
    return ops.log(energy + FLOOR) / 3
