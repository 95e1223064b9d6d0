"""How the DCT coefficients of a large patch are distributed, one by one and jointly: the evidence of camera settings.

The histogram of each coefficient shows noise and what was done to it. Joint histograms show what a single one cannot:
a blur lowers the high frequencies of blocks whose low frequencies are strong, noise raises those of blocks whose low
frequencies are weak, motion lowers one direction, and shot noise grows with brightness. Both have no weights, so that
they are computed once for every patch.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers, ops

from models.front_ends.dct import BLOCK, YCBCR, BlockDct, CoefficientHistograms, coefficient_maps, dct_magnitudes
from models.front_ends.registry import FrontEndOutput
from models.layers import Tensor
from models.recipe import Recipe

SCALES = 3  # each half the size of the one before, because strong blurs only show at a coarse scale
WIDTHS = (192, 96)  # of the dense layers
MIN_ENERGY = 0.03  # squared gray levels
# Edges between levels: of energies in powers of two of squared gray levels, of the brightness in gray levels.
FINE = tuple(float(power) for power in range(-4, 10))
COARSE = (-1.0, 1.0, 3.0, 5.0, 6.5, 8.0, 10.0)
BRIGHTNESS = (35.0, 70.0, 110.0, 160.0)

Shape = tuple[int | None, ...]


def build(pixels: Tensor, is_manipulated: Tensor, recipe: Recipe, smallest: int) -> FrontEndOutput:
    """See `models.front_ends.registry.FrontEnd`. The image is that of `dct`."""
    magnitudes = BlockDct(name="dct")(pixels)
    histograms = CoefficientHistograms(name="front_end_histograms")(magnitudes)
    joint = JointHistograms(name="front_end_joint_histograms")(pixels)
    x = layers.Concatenate(name="front_end_distributions", dtype="float32")([histograms, joint])
    x = layers.BatchNormalization(momentum=recipe.momentum, name="front_end_bn")(x)
    x = layers.Dropout(0.75 * recipe.dropout, name="front_end_dropout")(x)
    for number, width in enumerate(WIDTHS):
        x = layers.Dense(width, activation="relu", name=f"front_end_dense_{number}")(x)
        x = layers.Dropout(recipe.dropout, name=f"front_end_dense_{number}_dropout")(x)
    hidden = layers.Concatenate(name="front_end_evidence")([is_manipulated, x])
    return FrontEndOutput(coefficient_maps(magnitudes, recipe, smallest), x, hidden)


@keras.saving.register_keras_serializable("camera")
class JointHistograms(keras.layers.Layer):
    """Square roots of joint histograms of two properties of 8×8 blocks: (batch, h, w, 3) in 0…255 → (batch, features).

    The pairs, at each of `SCALES`, are the energy of low frequencies with that of middle, high and highest ones; of
    horizontal with that of vertical frequencies; and the brightness with the energy of high and highest frequencies,
    and with that of high ones of both chroma channels. A bin holds the share of the blocks in it.
    """

    def call(self, pixels: Tensor) -> Tensor:
        x, parts = ops.cast(pixels, "float32"), []
        for scale in range(SCALES):
            if scale:
                x = ops.average_pool(x, 2, strides=2, padding="valid")
            for first, second in self._pairs(x):
                counts = ops.einsum("brcp,brcq->bpq", first, second)
                shares = counts / ops.sum(counts, axis=(1, 2), keepdims=True)
                parts.append(ops.reshape(ops.sqrt(shares), (-1, shares.shape[1] * shares.shape[2])))
        return ops.concatenate(parts, axis=-1)

    def _pairs(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Pairs of memberships in levels, both (batch, rows, columns, levels)."""
        squares, bands = ops.square(dct_magnitudes(x)), frequency_bands()
        luma, blue, red = (squares[..., start : start + BLOCK**2] for start in range(0, 3 * BLOCK**2, BLOCK**2))
        low, middle, high, highest, across, down = (
            ops.log(energy + MIN_ENERGY) / np.log(2) for energy in ops.unstack(ops.matmul(luma, bands), axis=-1)
        )
        chroma = [ops.log(ops.matmul(plane, bands[:, 2]) + MIN_ENERGY) / np.log(2) for plane in (blue, red)]
        gray = ops.average_pool(ops.matmul(x, np.array(YCBCR[0], np.float32)[:, None]), BLOCK, strides=BLOCK)[..., 0]
        base, bright = membership(low, COARSE), membership(gray, BRIGHTNESS)
        return [
            *((base, membership(energy, FINE)) for energy in (middle, high, highest)),
            (membership(across, FINE), membership(down, FINE)),
            *((bright, membership(energy, FINE)) for energy in (high, highest, *chroma)),
        ]

    def compute_output_shape(self, shape: Shape) -> Shape:
        fine = len(FINE) + 1
        return shape[0], SCALES * fine * (3 * (len(COARSE) + 1) + fine + 4 * (len(BRIGHTNESS) + 1))


def frequency_bands() -> np.ndarray:
    """Return the weights that average coefficients over bands, float32 (64, 6), columns summing to one.

    The bands are low, middle, high and highest frequencies, by the sum of both frequencies, then horizontal and
    vertical ones below the highest. The mean of the block belongs to none.
    """
    down, across = np.meshgrid(np.arange(BLOCK), np.arange(BLOCK), indexing="ij")
    total = down + across
    directed = (total >= 2) & (total <= 6)
    bands = [
        *((total >= first) & (total <= last) for first, last in ((1, 2), (3, 4), (5, 7), (8, 14))),
        directed & (across > 2 * down),
        directed & (down > 2 * across),
    ]
    return np.stack([band.ravel() / band.sum() for band in bands], axis=1).astype(np.float32)


def membership(values: Tensor, edges: Sequence[float]) -> Tensor:
    """Return 1 for the level that each value lies in, else 0: (…,) → float32 (…, len(edges) + 1).

    A value on an edge belongs to the level above it.
    """
    above = ops.cast(values[..., None] >= np.array(edges, np.float32), "float32")
    one, none = ops.ones_like(above[..., :1]), ops.zeros_like(above[..., :1])
    return ops.concatenate([one, above], axis=-1) - ops.concatenate([above, none], axis=-1)
