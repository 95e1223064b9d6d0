import numpy as np
import pytest
from scipy.stats import norm

from submissions.fingerprints.evidence import FALSE_ALARMS, LIMIT, weigh
from submissions.fingerprints.match import Match

OWN = np.array([20.0, 24, 28, 32, 36])


def match(score: float, places: int = 1, share: float = 1.0) -> Match:
    return Match(0, 0, score, places, share)


def test_false_alarm_rate_of_one_place_is_the_tail_of_the_normal_distribution():
    assert weigh(match(3.0), OWN).false_alarm_rate == pytest.approx(norm.sf(3.0))


def test_false_alarm_rate_of_many_places_is_that_of_their_maximum():
    maxima = np.random.default_rng(0).standard_normal((4000, 500)).max(axis=1)
    assert weigh(match(3.0, 500), OWN).false_alarm_rate == pytest.approx(np.mean(maxima >= 3.0), abs=0.03)


@pytest.mark.parametrize("places", [1, 1000, 10**6])
def test_score_at_the_threshold_has_the_stated_false_alarm_rate(places):
    threshold = weigh(match(0.0, places), OWN).threshold
    assert weigh(match(threshold, places), OWN).false_alarm_rate == pytest.approx(FALSE_ALARMS, rel=1e-3)
    assert not weigh(match(threshold - 0.1, places), OWN).is_match
    assert weigh(match(threshold + 0.1, places), OWN).is_match


def test_small_crop_misses_more_often():
    rates = [weigh(match(0.0, 1, share), OWN).miss_rate for share in (1.0, 0.1, 0.01)]
    assert rates[0] < 0.01 < rates[1] < rates[2]


def test_likelihood_ratio_of_one_place_is_that_of_the_two_densities():
    own = np.array([3.0, 4, 5, 6, 7])
    deviation = np.sqrt(own.var(ddof=1))
    expected = norm.pdf(2.5, 5, deviation) / norm.pdf(2.5)
    assert weigh(match(2.5), own).log10_likelihood_ratio == pytest.approx(np.log10(expected))


def test_likelihood_ratio_of_many_places_agrees_with_simulated_maxima():
    rng = np.random.default_rng(0)
    others = rng.standard_normal((20000, 50)).max(axis=1)
    own = np.maximum(rng.standard_normal((20000, 49)).max(axis=1), rng.normal(3, 1, 20000))
    expected = np.mean(np.abs(own - 3) < 0.1) / np.mean(np.abs(others - 3) < 0.1)
    scores = np.array([2.0, 2.5, 3, 3.5, 4])  # mean 3; their variance is below that of the noise
    assert weigh(match(3.0, 50), scores).log10_likelihood_ratio == pytest.approx(np.log10(expected), abs=0.1)


def test_ratio_rises_with_the_score_and_stays_within_its_limits():
    ratios = [weigh(match(score, 10**6), OWN).log10_likelihood_ratio for score in (3.0, 5.0, 8.0, 28.0, 500.0)]
    assert ratios == sorted(ratios) and ratios[0] < 0 < ratios[3] and ratios[-1] == LIMIT
