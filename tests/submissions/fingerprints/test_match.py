import numpy as np
import pytest

from competition.utils.errors import InputError
from submissions.fingerprints.match import correlate

SHAPE = (120, 150)


@pytest.fixture
def pattern() -> np.ndarray:
    return np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)


def photo(pattern: np.ndarray, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Residual and luminance of a photo with this pattern under strong noise."""
    rng = np.random.default_rng(seed)
    luminance = rng.uniform(50, 200, pattern.shape).astype(np.float32)
    return (luminance * pattern * 0.01 + 3 * rng.standard_normal(pattern.shape)).astype(np.float32), luminance


def test_photo_of_the_size_of_the_fingerprint_has_one_place(pattern):
    match = correlate(pattern, *photo(pattern))
    assert (match.row, match.column, match.places, match.share) == (0, 0, 1, 1)
    assert match.score > 20 and match.peak_to_correlation_energy == pytest.approx(match.score**2)


def test_crop_is_found_at_its_place(pattern):
    match = correlate(pattern, *photo(pattern[31:95, 50:114]))
    assert (match.row, match.column) == (31, 50) and match.score > 8
    assert match.places == (120 - 64 + 1) * (150 - 64 + 1) and match.share == pytest.approx(64**2 / (120 * 150))


def test_crop_at_the_border_is_found(pattern):
    match = correlate(pattern, *photo(pattern[:64, -64:]))
    assert (match.row, match.column) == (0, 150 - 64)


def test_scores_of_other_devices_are_standard_normal(pattern):
    rng = np.random.default_rng(2)
    scores = [correlate(pattern, *photo(rng.standard_normal(SHAPE), seed)).score for seed in range(200)]
    assert abs(np.mean(scores)) < 0.3 and 0.85 < np.std(scores) < 1.15


def test_energy_keeps_the_sign_of_the_peak(pattern):
    residual, luminance = photo(pattern)
    assert correlate(pattern, -residual, luminance).peak_to_correlation_energy < -100


def test_photo_without_any_residual_has_the_score_zero(pattern):
    flat = np.zeros(SHAPE, np.float32)
    assert correlate(pattern, flat, flat).score == 0


def test_larger_photo_is_refused_with_both_sizes(pattern):
    with pytest.raises(InputError, match=r"150x121 pixels are larger than the fingerprint's 150x120"):
        correlate(pattern, *photo(np.zeros((121, 150))))
