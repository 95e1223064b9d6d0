"""What the score of a match is worth: false-alarm rate, miss rate, and the likelihood ratio of the two hypotheses.

- Another device: the score is the maximum of independent standard normal values, one for each place searched.
- This device: the score is normal, with the mean and the deviation of the device's own photos, each matched with the
  fingerprint of others. A photo that covers a share s of the pixels has a mean that is √s of that.

Both are models. `python -m benchmarks.fingerprints` compares them with simulated photos.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from submissions.fingerprints.match import Match

FALSE_ALARMS = 1e-6  # rate among photos by other devices, at which a photo is said to match
LIMIT = 6.0  # of log10 of a likelihood ratio: the tails of the models are not tested beyond


@dataclass(frozen=True)
class Evidence:
    """What a match is worth.

    Attributes:
        false_alarm_rate: probability of a score at least as high for a photo by another device.
        threshold: score from which on a photo is said to match, at the rate `FALSE_ALARMS`.
        miss_rate: probability that a photo by this device, of this size, stays below the threshold.
        log10_likelihood_ratio: of "this device" to "another device", from −`LIMIT` to `LIMIT`.
    """

    false_alarm_rate: float
    threshold: float
    miss_rate: float
    log10_likelihood_ratio: float

    @property
    def is_match(self) -> bool:
        return self.false_alarm_rate <= FALSE_ALARMS


def weigh(match: Match, own_scores: NDArray[np.float64]) -> Evidence:
    """Return what a match is worth, given the scores of the device's own photos, (photos,)."""
    mean = float(own_scores.mean()) * np.sqrt(match.share)
    # The noise of the correlation has a variance of 1; the rest comes from the photos and grows with their area.
    deviation = np.sqrt(1 + max(float(own_scores.var(ddof=1)) - 1, 0) * match.share)
    # Of the maximum of n normal values: P(max ≥ z) = 1 − (1 − p)ⁿ with p = P(one ≥ z).
    false_alarms = -np.expm1(match.places * np.log1p(-norm.sf(match.score)))
    threshold = float(norm.isf(-np.expm1(np.log1p(-FALSE_ALARMS) / match.places)))
    return Evidence(
        float(false_alarms),
        threshold,
        float(norm.cdf(threshold, mean, deviation)),
        _log10_likelihood_ratio(match, mean, deviation),
    )


def _log10_likelihood_ratio(match: Match, mean: float, deviation: float) -> float:
    """Of the maximum of one value of this device and n − 1 standard normal ones, to that of n standard normal ones.

    With f, F the density and distribution of the former and φ, Φ those of the latter, the factors Φⁿ⁻² cancel:
    (f · Φ + (n − 1) · F · φ) / (n · φ · Φ).
    """
    score, places = match.score, match.places
    at_place = norm.logpdf(score, mean, deviation) - norm.logpdf(score) - np.log(places)
    elsewhere = -np.inf
    if places > 1:
        elsewhere = np.log1p(-1 / places) + norm.logcdf(score, mean, deviation) - norm.logcdf(score)
    return float(np.clip(np.logaddexp(at_place, elsewhere) / np.log(10), -LIMIT, LIMIT))
