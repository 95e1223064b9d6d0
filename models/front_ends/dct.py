"""The block DCT: how the JPEG coefficients of a patch are distributed, and maps of their magnitudes.

A camera leaves its quantization tables, denoising, sharpening and demosaicing in the distribution of every coefficient
of the 8×8 DCT. Later JPEG compression, gamma and resizing change these distributions but do not erase them (compare the
histograms of DCT coefficients in Fan & de Queiroz 2003 and the log-magnitudes in Cai et al. 2019).

A flip of the patch leaves all magnitudes as they are, and a transposition swaps the two frequencies. The network behind
the histograms reads both orders of the frequencies and averages what it finds, so its logits are the same for all eight
dihedral views (a network that is invariant to a group, Cohen & Welling 2016, arXiv 1602.07576).
"""

from itertools import pairwise

import keras
import numpy as np
from keras import layers, ops

from models.front_ends.registry import FrontEndOutput
from models.layers import Tensor
from models.recipe import Recipe

BLOCK = 8  # pixels: the side of a JPEG block
# ITU-R BT.601 as in JFIF: rows are luminance, blue difference, red difference.
YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
# Upper edges of the histogram's bins, in gray levels: fine where the quantization steps of good qualities show, coarse
# above. Twice as many bins cost twice the time and gain nothing (docs/results.md).
EDGES = (0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 14, 20, 32, 64)
# Width of the edges, in gray levels. At a sharp edge, a magnitude that another runtime rounds differently moves a whole
# block to another bin, and the predictions of exported networks differ by 1e-3.
RAMP = 0.2
WIDTHS = (256, 256)  # of the dense layers behind the histograms
MAP_CHANNELS = 64  # of the image that a backbone reads

Shape = tuple[int | None, ...]


def build(pixels: Tensor, is_manipulated: Tensor, recipe: Recipe, smallest: int) -> FrontEndOutput:
    """See `models.front_ends.registry.FrontEnd`."""
    magnitudes = BlockDct(name="dct")(pixels)
    return FrontEndOutput(
        coefficient_maps(magnitudes, recipe, smallest), *histogram_network(magnitudes, is_manipulated, recipe)
    )


def coefficient_maps(magnitudes: Tensor, recipe: Recipe, smallest: int) -> Tensor:
    """Return the image that a backbone reads, (batch, rows, columns, MAP_CHANNELS), from the output of `BlockDct`.

    It has one pixel for each 2×2 blocks, or for each block if that is too small for the backbone, with a border of
    zeros if that is still too small.
    """
    maps = layers.BatchNormalization(momentum=recipe.momentum, name="maps_bn")(LogMagnitude(name="maps")(magnitudes))
    maps = layers.Conv2D(MAP_CHANNELS, 1, use_bias=False, name="maps_mixed")(maps)
    maps = layers.BatchNormalization(momentum=recipe.momentum, name="maps_mixed_bn")(maps)
    maps = layers.Activation("relu", name="maps_relu")(maps)
    cells = min(recipe.patches.size, recipe.test_patch) // BLOCK
    if cells // 2 >= smallest:  # a quarter of the work of the backbone
        maps = layers.AveragePooling2D(2, name="pool")(maps)
    elif cells < smallest:
        maps = layers.ZeroPadding2D(-(-(smallest - cells) // 2), name="pad")(maps)
    return maps


def histogram_network(magnitudes: Tensor, is_manipulated: Tensor, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Histograms of DCT magnitudes and the dense layers behind them, averaged over a patch and its transposition.

    Args:
        magnitudes: output of `BlockDct`.
        is_manipulated: (batch, 1).
        recipe: momentum and dropout.

    Returns:
        `features` and `hidden` of a `FrontEndOutput`, both (batch, width).
    """
    histograms = CoefficientHistograms(name="front_end_histograms")(magnitudes)
    normalize = layers.BatchNormalization(momentum=recipe.momentum, name="front_end_bn")
    join = layers.Concatenate(name="front_end_evidence")
    hidden = []
    for number, width in enumerate(WIDTHS):
        hidden += [
            layers.Dropout(recipe.dropout, name=f"front_end_dropout_{number}"),
            layers.Dense(width, use_bias=False, name=f"front_end_dense_{number}"),
            layers.BatchNormalization(momentum=recipe.momentum, name=f"front_end_dense_{number}_bn"),
            layers.Activation("relu", name=f"front_end_dense_{number}_relu"),
        ]
    orientations = []
    for x in (histograms, Transposition(name="front_end_transposition")(histograms)):
        x = join([is_manipulated, normalize(x)])
        for layer in hidden:
            x = layer(x)
        orientations.append(x)
    # The logits are a linear function of this mean, and so the mean of the logits of both orientations.
    x = layers.Average(name="front_end_mean")(orientations)
    return x, layers.Dropout(recipe.dropout, name="front_end_dropout")(x)


def dct_matrix(size: int) -> np.ndarray:
    """Return the orthonormal DCT-II matrix, float64 (size, size): frequencies in rows, pixels in columns."""
    frequency, pixel = np.arange(size)[:, None], np.arange(size)[None]
    matrix = np.cos(np.pi * (2 * pixel + 1) * frequency / (2 * size)) * np.sqrt(2 / size)
    matrix[0] /= np.sqrt(2)
    return matrix


def dct_magnitudes(pixels: Tensor, block: int = BLOCK) -> Tensor:
    """Return the magnitudes that `BlockDct` returns."""
    matrix = dct_matrix(block)
    kernel = np.einsum("ck,ux,vy->xykcuv", np.array(YCBCR), matrix, matrix)
    kernel = kernel.reshape(block, block, 3, 3 * block**2).astype(np.float32)
    levels = ops.cast(pixels, "float32") - 128.0
    return ops.abs(ops.conv(levels, ops.convert_to_tensor(kernel), strides=block, padding="valid"))


@keras.saving.register_keras_serializable("camera")
class BlockDct(keras.layers.Layer):
    """Magnitudes of the DCT coefficients of the YCbCr channels of every block, aligned to the patch's corner.

    Pixels (batch, h, w, 3) in 0…255 → float32 (batch, h // block, w // block, 3 · block²). The channel of coefficient
    (u, v) of color channel c is (c · block + u) · block + v, with the vertical frequency u. Pixels that fill no whole
    block at the right and at the bottom are ignored. Always float32: in half precision the last gray level is lost.

    Args:
        block: side of a block, pixels.
    """

    def __init__(self, block: int = BLOCK, **options: object) -> None:
        super().__init__(**{**options, "dtype": "float32"})
        self.block = block

    def call(self, pixels: Tensor) -> Tensor:
        return dct_magnitudes(pixels, self.block)

    def compute_output_shape(self, shape: Shape) -> Shape:
        rows, columns = (None if side is None else side // self.block for side in shape[1:3])
        return shape[0], rows, columns, 3 * self.block**2

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "block": self.block}


@keras.saving.register_keras_serializable("camera")
class CoefficientHistograms(keras.layers.Layer):
    """Square roots of the histograms of every channel over all blocks: (batch, rows, columns, channels) → (batch, n).

    A bin holds the share of the blocks whose magnitude is at least the edge before and below its own edge; magnitudes
    above the last edge are in no bin. A magnitude within `RAMP` / 2 of an edge is divided between the two bins. The
    square root makes the noise of all bins alike (Hellinger distance). The value of bin k of channel c is at index
    k · channels + c.

    Args:
        edges: upper edges of the bins, in gray levels, in rising order.
    """

    def __init__(self, edges: tuple[float, ...] = EDGES, **options: object) -> None:
        super().__init__(**{**options, "dtype": "float32"})
        self.edges = tuple(edges)

    def call(self, magnitudes: Tensor) -> Tensor:
        below = [ops.mean(ops.clip((edge - magnitudes) / RAMP + 0.5, 0.0, 1.0), axis=(1, 2)) for edge in self.edges]
        shares = [below[0], *(upper - lower for lower, upper in pairwise(below))]
        return ops.sqrt(ops.maximum(ops.concatenate(shares, axis=-1), 0.0))

    def compute_output_shape(self, shape: Shape) -> Shape:
        return shape[0], None if shape[3] is None else len(self.edges) * shape[3]

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "edges": self.edges}


@keras.saving.register_keras_serializable("camera")
class Transposition(keras.layers.Layer):
    """The histograms of a patch → those of the transposed patch, both (batch, n), as of `CoefficientHistograms`.

    The frequencies u and v of every channel of `BlockDct` change places.
    """

    def call(self, histograms: Tensor) -> Tensor:
        order = np.arange(histograms.shape[-1]).reshape(-1, BLOCK, BLOCK).swapaxes(1, 2).ravel()
        return ops.take(histograms, order, axis=-1)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return shape


@keras.saving.register_keras_serializable("camera")
class LogMagnitude(keras.layers.Layer):
    """log(1 + magnitude), computed in float32, returned in the layer's compute dtype; the shape stays."""

    def call(self, magnitudes: Tensor) -> Tensor:
        # Not log1p, which tf2onnx cannot convert. Magnitudes are in gray levels, so the difference is rounding.
        return ops.cast(ops.log(1.0 + ops.cast(magnitudes, "float32")), self.compute_dtype)
