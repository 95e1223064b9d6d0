import numpy as np
import pytest

from competition.metrics.calibration import calibration_error, reliability


def test_bins_and_calibration_error_are_those_of_a_loop():
    rng = np.random.default_rng(5)
    confidence, correct = rng.random(57), rng.random(57) < 0.6
    ordered = sorted(zip(confidence, correct, strict=True))
    bins, start = [], 0
    for number in range(10):
        size = 6 if number < 7 else 5  # 57 = 7 · 6 + 3 · 5
        bins.append(ordered[start : start + size])
        start += size
    means = [sum(pair[0] for pair in one) / len(one) for one in bins]
    accuracies = [sum(pair[1] for pair in one) / len(one) for one in bins]
    error = sum(len(one) * abs(m - a) for one, m, a in zip(bins, means, accuracies, strict=True)) / 57
    found = reliability(confidence, correct, np.arange(57))
    np.testing.assert_allclose(found.confidence, means)
    np.testing.assert_allclose(found.accuracy, accuracies)
    assert found.error == pytest.approx(error)


def test_the_interval_is_that_of_resampling_photos_in_a_loop():
    rng = np.random.default_rng(6)
    photos = np.repeat(np.arange(20), 2)
    confidence, correct = rng.random(40), (rng.random(40) < 0.5).astype(float)
    found = reliability(confidence, correct, photos, seed=7)
    _, _, error = calibration_error(confidence, correct, 10)
    again, drawn = np.random.default_rng(7), []
    for _ in range(1000):
        images = [image for photo in again.integers(0, 20, 20) for image in (2 * photo, 2 * photo + 1)]
        drawn.append(calibration_error(confidence[images], correct[images], 10)[2])
    assert found.error_high == pytest.approx(2 * error - np.quantile(drawn, 0.025))
    assert found.error_low == pytest.approx(max(0, 2 * error - np.quantile(drawn, 0.975)))


def test_the_interval_distinguishes_calibrated_from_overconfident_predictions():
    rng = np.random.default_rng(9)
    confidence = rng.uniform(0.5, 1, 2000)
    calibrated = reliability(confidence, rng.random(2000) < confidence, np.arange(2000))
    overconfident = reliability(confidence, rng.random(2000) < confidence - 0.2, np.arange(2000))
    assert calibrated.error_low < 0.01
    assert overconfident.error_low > 0.15
    assert overconfident.error_low < 0.2 < overconfident.error_high


def test_fewer_photos_than_bins_give_fewer_bins():
    found = reliability([0.2, 0.4, 0.9], [False, False, True], ["a", "b", "b"])
    assert found.confidence.tolist() == pytest.approx([0.3, 0.9])
    assert found.accuracy.tolist() == [0, 1]


@pytest.mark.parametrize(("confidence", "correct"), [([], []), ([0.5, 0.6], [True])])
def test_no_images_and_different_lengths_are_rejected(confidence, correct):
    with pytest.raises(ValueError, match="expected confidence and correct"):
        reliability(confidence, correct, [])
