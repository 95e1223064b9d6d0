"""Evidence maps: which places and which frequencies of an image speak for a class.

`dct_evidence` explains the logits of the front ends `dct` and `dct_pixels`, which read histograms of DCT magnitudes.
Integrated gradients (Sundararajan et al. 2017, arXiv 1703.01365), that is gradient × activation averaged along a path,
give the contribution of every bin of every histogram. A bin belongs to one frequency and to the blocks that fall into
it, so the contributions of the bins are also contributions of frequencies and of places, without further assumptions.

`grad_cam` explains a backbone (Selvaraju et al. 2017, arXiv 1610.02391).

Both explain the log-odds of a class: its logit minus the log-sum-exp of the other logits, in nats.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from models.front_ends.dct import BLOCK, RAMP
from models.layers import Tensor
from models.training.backend import gradient

STEPS = 64  # of the path of the integrated gradients: their sum is then within 2 % of the difference of the log-odds
HISTOGRAMS, POOLED = "front_end_histograms", "features"  # layers that are explained
SMALLEST = 1e-12  # keeps the weight of a bin finite that is empty both in the image and in the reference


@dataclass(frozen=True, eq=False)
class DctEvidence:
    """Contributions to the log-odds of a class, in nats; above 0 they speak for the class, below 0 against it.

    Both arrays sum to the log-odds of the image minus the log-odds of the average training patch.

    Attributes:
        blocks: of every 8×8 block, float64 (rows, columns).
        frequencies: of every coefficient of the luminance, the blue difference and the red difference, float64
            (3, 8, 8), the vertical frequency before the horizontal one.
    """

    blocks: NDArray[np.float64]
    frequencies: NDArray[np.float64]


def has_dct_evidence(network: keras.Model) -> bool:
    """Return whether `dct_evidence` can explain a network."""
    return any(layer.name == HISTOGRAMS for layer in network.layers)


def has_backbone(network: keras.Model) -> bool:
    """Return whether `grad_cam` can explain a network."""
    return any(layer.name == POOLED for layer in network.layers)


def dct_evidence(
    network: keras.Model, pixels: NDArray[np.uint8], is_manipulated: bool, target: int, head: str = "camera"
) -> DctEvidence:
    """Explain the front end's own logits, by block and by frequency.

    The reference of the integrated gradients is the average training patch: the running mean of the histograms. The
    square roots h and r of a bin of the image and of the reference contribute g · (h − r) = w · (h² − r²), with the
    mean gradient g and w = g / (h + r). As h² is the mean share of the n blocks in the bin, a block with the share s,
    usually 0 or 1, of it in the bin contributes w · (s − r²) / n.

    Args:
        network: see `has_dct_evidence`.
        pixels: an image whose corner lies on the JPEG grid, uint8 (height, width, 3).
        is_manipulated: the flag of the image.
        target: index of the class to explain.
        head: output of the network.
    """
    layer = network.get_layer(HISTOGRAMS)
    magnitudes = network.get_layer("dct")(pixels[None])
    present = _array(layer(magnitudes))
    reference = _array(network.get_layer("front_end_bn").moving_mean)[None]
    behind = keras.Model(
        [layer.output, network.get_layer("is_manipulated").output], network.get_layer(f"front_end_{head}").output
    )
    flags = ops.full((STEPS, 1), is_manipulated, "float32")
    along = (np.arange(STEPS)[:, None] + 0.5) / STEPS  # midpoints of the steps
    path = (reference + along * (present - reference)).astype(np.float32)
    slope = gradient(lambda histograms: _log_odds(behind([histograms, flags], training=False), target), path).mean(
        axis=0, dtype=np.float64
    )
    shape = (len(layer.edges), 3 * BLOCK**2)
    contributions = (slope * (present - reference)[0]).reshape(shape)
    weights = (slope / np.maximum(present + reference, SMALLEST)[0]).reshape(shape)
    # A block is in bin k as far as it is below edge k and not below edge k − 1; above the last edge it is in no bin.
    values, steps = _array(magnitudes)[0], weights - np.concatenate([weights[1:], np.zeros((1, shape[1]))])
    below = (np.clip((edge - values) / RAMP + 0.5, 0, 1) for edge in layer.edges)
    inside = sum(share @ step for share, step in zip(below, steps, strict=True))
    expected = (weights * reference.reshape(shape) ** 2).sum()
    return DctEvidence((inside - expected) / inside.size, contributions.sum(axis=0).reshape(3, BLOCK, BLOCK))


def grad_cam(
    network: keras.Model, pixels: NDArray[np.uint8], is_manipulated: bool, target: int, head: str = "camera"
) -> NDArray[np.float64]:
    """Explain the logits of a member with a backbone by its last feature maps.

    Args:
        network: see `has_backbone`.
        pixels: uint8 (height, width, 3).
        is_manipulated: the flag of the image.
        target: index of the class to explain.
        head: output of the network.

    Returns:
        The map, float64 (rows, columns), with a maximum of 1. All zero if no place speaks for the class, as with a
        backbone whose logits were never trained.
    """
    inputs = {
        "patch": ops.convert_to_tensor(pixels[None]),
        "is_manipulated": ops.full((1, 1), is_manipulated, "float32"),
    }
    features: Tensor = network.get_layer(POOLED).input
    maps = _array(keras.Model(network.input, features)(inputs, training=False))
    names = list(network.input)
    behind = keras.Model([features, *(network.input[name] for name in names)], network.get_layer(head).input)
    others = [inputs[name] for name in names]
    slope = gradient(lambda values: _log_odds(behind([values, *others], training=False), target), maps)
    found = np.maximum((maps * slope.mean(axis=(1, 2), keepdims=True)).sum(axis=-1, dtype=np.float64)[0], 0)
    return found / max(found.max(), SMALLEST)


def _log_odds(logits: Tensor, target: int) -> Tensor:
    logits = ops.cast(logits, "float32")
    others = ops.concatenate([logits[:, :target], logits[:, target + 1 :]], axis=-1)
    return logits[:, target] - ops.logsumexp(others, axis=-1)


def _array(tensor: Tensor) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(tensor), np.float32)
