"""Area under the ROC curve of a score that is to be high for one group of images and low for another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from competition.metrics.bootstrap import percentile_interval, resample


@dataclass(frozen=True, eq=False)
class Auroc:
    """An area under the ROC curve.

    Attributes:
        value: the area.
        draws: that of resampled images, (draws,).
    """

    value: float
    draws: NDArray[np.float64]

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % bootstrap interval."""
        low, high = percentile_interval(self.draws).tolist()
        return low, high


def auroc(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return the probability that a positive image has a higher score than a negative one; ties count half.

    Args:
        scores: (images,).
        positive: (images,) bool, with images of both kinds.

    Raises:
        ValueError: all images are of one kind, or a score is NaN.
    """
    values, flags = np.asarray(scores, np.float64), np.asarray(positive, bool)
    count = int(flags.sum())
    if count in (0, len(flags)):
        raise ValueError(f"expected positive and negative images; received {count} positive of {len(flags)}")
    if np.isnan(values).any():
        raise ValueError("expected scores without NaN")
    ranks = rankdata(values)
    return float((ranks[flags].sum() - count * (count + 1) / 2) / (count * (len(flags) - count)))


def resampled_auroc(scores: ArrayLike, positive: ArrayLike, groups: ArrayLike, seed: int = 0) -> Auroc:
    """Return the area with its bootstrap draws.

    Args:
        scores, positive: see `auroc`.
        groups: name of the photo that each image shows, (images,). Whole photos are resampled, among the positive and
            among the negative ones.
        seed: of the bootstrap.
    """
    values, flags = np.asarray(scores, np.float64), np.asarray(positive, bool)
    drawn = [auroc(values[images], flags[images]) for images in resample(groups, flags, seed)]
    return Auroc(auroc(values, flags), np.array(drawn))
