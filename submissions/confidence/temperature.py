"""Temperature scaling: a single number makes the probabilities of a network as sure as they are correct.

Guo et al. 2017 (arXiv 1706.04599, section 4.2) divide the logits by a temperature that minimizes the log loss of images
that the network was not trained on. The most probable class stays the same.

With few images, the log loss hardly depends on the temperature: if all predictions are correct, its minimum is at zero.
Therefore ln T has a normal prior around 0. It is narrower below 0, because validation images flatter a network: they
share devices with training, and the best epoch was chosen on them. The fit minimizes the sum of the log losses and
(ln T)² / (2 · spread²). Without images, the temperature is 1; with thousands, the prior no longer matters.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from competition.metrics.log_loss import log_losses

# Standard deviations of ln T. Networks that are too sure by a factor of two are common (Guo et al., table 1).
BELOW_ONE, ABOVE_ONE = 0.2, np.log(2)
LOWEST, HIGHEST = 0.25, 8.0
# The smallest normal float32. A softmax may underflow to zero, of which there is no logarithm.
SMALLEST = float(np.finfo(np.float32).tiny)


def scale(probabilities: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Return probabilities to the power 1 / `temperature`, renormalized: float64 of the same shape (…, classes).

    A temperature above 1 makes them less sure, and one below 1 surer. At 1 they are returned as they are.
    """
    values = np.asarray(probabilities, np.float64)
    if temperature == 1:
        return values
    logits = np.log(np.maximum(values, SMALLEST)) / temperature
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def fit_temperature(probabilities: ArrayLike, y_true: ArrayLike) -> float:
    """Return the temperature of predictions for images that the network was not trained on.

    Args:
        probabilities: (images, classes); there may be no images.
        y_true: class indices, (images,).

    Returns:
        A number from `LOWEST` to `HIGHEST`.
    """
    values = np.asarray(probabilities, np.float64)
    if not len(values):
        return 1.0

    def loss(log_temperature: float) -> float:
        losses = log_losses(scale(values, float(np.exp(log_temperature))), y_true)
        spread = BELOW_ONE if log_temperature < 0 else ABOVE_ONE
        return float(losses.sum() + (log_temperature / spread) ** 2 / 2)

    found = minimize_scalar(loss, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded")
    return float(np.exp(found.x))
