"""Scores of "none of these cameras", from the hidden features and the logits of a trained network.

A network must name one of its cameras, often with a high probability, whatever took the photo. Its features show more:
they lie elsewhere than those of photos by the cameras that it was trained on. A score is high where they do.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp, softmax
from sklearn.covariance import ledoit_wolf
from sklearn.neighbors import NearestNeighbors

from competition.utils.errors import unknown_name

NEIGHBORS = 1  # few training images of a camera have the same manipulation: the third nearest is worse


@dataclass(frozen=True, eq=False)
class Activations:
    """What a network computes for images before its last layer.

    Attributes:
        hidden: features, (images, width).
        logits: (images, classes).
    """

    hidden: NDArray[np.floating]
    logits: NDArray[np.floating]

    def __getitem__(self, images: NDArray[np.bool_] | NDArray[np.intp]) -> "Activations":
        """Return the activations of some images."""
        return Activations(self.hidden[images], self.logits[images])


Score = Callable[[Activations], NDArray[np.float64]]  # (images,)


def energy(training: Activations, labels: NDArray[np.integer]) -> Score:
    """The negative logarithm of the sum of the exponentials of the logits (Liu et al. 2020, arXiv 2010.03759)."""
    return lambda images: -logsumexp(images.logits.astype(np.float64), axis=1)


def probability(training: Activations, labels: NDArray[np.integer]) -> Score:
    """One minus the probability of the predicted class (Hendrycks & Gimpel 2017, arXiv 1610.02136): the baseline."""
    return lambda images: 1 - softmax(images.logits.astype(np.float64), axis=1).max(axis=1)


def mahalanobis(training: Activations, labels: NDArray[np.integer]) -> Score:
    """The squared Mahalanobis distance to the nearest class mean, with one covariance of all classes (Lee et al. 2018,
    arXiv 1807.03888, equation 2).

    The covariance is shrunk (Ledoit & Wolf 2004), because there may be fewer training photos than features.
    """
    classes = np.unique(labels)
    hidden = training.hidden.astype(np.float64)
    means = np.stack([hidden[labels == name].mean(axis=0) for name in classes])
    residuals = hidden - means[np.searchsorted(classes, labels)]
    covariance, _ = ledoit_wolf(residuals, assume_centered=True)
    precision = np.linalg.pinv(covariance, hermitian=True)

    def score(images: Activations) -> NDArray[np.float64]:
        offsets = images.hidden.astype(np.float64)[:, None] - means
        return np.einsum("icw,wv,icv->ic", offsets, precision, offsets, optimize=True).min(axis=1)

    return score


def neighbors(training: Activations, labels: NDArray[np.integer]) -> Score:
    """The distance to the `NEIGHBORS`-th nearest training image, of features of length 1 (Sun et al. 2022, arXiv
    2204.06507)."""
    count = min(NEIGHBORS, len(training.hidden))
    index = NearestNeighbors(n_neighbors=count).fit(_of_length_one(training.hidden))
    return lambda images: index.kneighbors(_of_length_one(images.hidden))[0][:, -1]


# Each is fitted on the training images, their activations and labels (images,), and returns the score of other images.
SCORES: dict[str, Callable[[Activations, NDArray[np.integer]], Score]] = {
    "probability": probability,
    "energy": energy,
    "mahalanobis": mahalanobis,
    "neighbors": neighbors,
}


def fit_score(name: str, training: Activations, labels: ArrayLike) -> Score:
    """Fit one of `SCORES` on training images. Raises `InputError` for an unknown name."""
    if name not in SCORES:
        raise unknown_name("score", name, SCORES)
    return SCORES[name](training, np.asarray(labels))


def _of_length_one(hidden: NDArray[np.floating]) -> NDArray[np.float64]:
    values = hidden.astype(np.float64)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
