import numpy as np
import pytest
from sklearn.metrics import log_loss

from competition.metrics.log_loss import log_loss_difference, log_losses

IMAGES, CLASSES = 60, 3


@pytest.fixture
def entries():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, CLASSES, IMAGES)
    return truth, *(rng.dirichlet(np.ones(CLASSES) + 3 * k, IMAGES) for k in range(2))


def test_mean_loss_equals_that_of_scikit_learn(entries):
    truth, first, _ = entries
    assert log_losses(first, truth).mean() == pytest.approx(log_loss(truth, first, labels=range(CLASSES)))


def test_impossible_prediction_has_a_finite_loss():
    assert 30 < log_losses([[1.0, 0.0]], [1])[0] < 40


def test_difference_is_that_of_the_means_and_changes_sign_with_the_order(entries):
    truth, first, second = entries
    difference, low, high = log_loss_difference(first, second, truth)
    assert difference == pytest.approx(log_losses(first, truth).mean() - log_losses(second, truth).mean())
    assert low < difference < high
    swapped = log_loss_difference(second, first, truth)
    assert swapped[0] == -difference
    assert swapped[1:] == pytest.approx((-high, -low), abs=0.1 * (high - low))  # other draws


def test_entry_that_is_always_surer_of_the_truth_has_an_interval_below_zero(entries):
    truth, first, _ = entries
    surer = 0.8 * first + 0.2 * np.eye(CLASSES)[truth]
    assert log_loss_difference(surer, first, truth)[2] < 0


def test_images_of_one_photo_are_drawn_together(entries):
    truth, first, second = entries
    _, low, high = log_loss_difference(first, second, truth)
    grouped = log_loss_difference(
        np.repeat(first, 2, axis=0), np.repeat(second, 2, axis=0), np.repeat(truth, 2), np.repeat(np.arange(IMAGES), 2)
    )
    assert grouped[1:] == pytest.approx((low, high), abs=0.1 * (high - low))
