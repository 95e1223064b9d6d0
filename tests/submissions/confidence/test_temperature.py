"""Temperature scaling: properties of the scaled probabilities, and the temperature that a fit finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from submissions.confidence.temperature import HIGHEST, LOWEST, fit_temperature, scale

logits = arrays.arrays(np.float64, (5, 3), elements=st.floats(-40, 40))
temperatures = st.floats(LOWEST, HIGHEST)


def softmax(values):
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def honest(images, temperature, seed=0):
    """Probabilities that are right when they are divided by `temperature` in the logits, and the labels."""
    rng = np.random.default_rng(seed)
    values = 2 * rng.normal(size=(images, 4))
    labels = np.array([rng.choice(4, p=row) for row in softmax(values)], int)
    return softmax(values * temperature), labels


@given(logits, temperatures)
def test_scaling_divides_the_logits(values, temperature):
    np.testing.assert_allclose(scale(softmax(values), temperature), softmax(values / temperature), atol=1e-9)


@given(logits, temperatures)
def test_scaling_keeps_the_order_of_the_classes_and_sums_to_one(values, temperature):
    probabilities = softmax(values)
    scaled = scale(probabilities, temperature)
    np.testing.assert_allclose(scaled.sum(axis=1), 1)
    best = probabilities.argmax(axis=1)[:, None]
    assert (np.take_along_axis(scaled, best, 1)[:, 0] >= scaled.max(axis=1) - 1e-12).all()


def test_scaling_takes_probabilities_of_zero():
    np.testing.assert_allclose(scale([[1, 0, 0]], 2.0), [[1, 0, 0]], atol=1e-15)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_of_many_images_is_found(temperature):
    assert fit_temperature(*honest(4000, temperature)) == pytest.approx(temperature, rel=0.06)


def test_without_images_the_temperature_is_one():
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, int)) == 1


def test_a_few_correct_predictions_do_not_make_them_sure():
    probabilities, labels = np.tile([0.9, 0.05, 0.05], (6, 1)), np.zeros(6, int)
    assert 0.9 < fit_temperature(probabilities, labels) < 1
    assert LOWEST <= fit_temperature(np.tile(probabilities, (1000, 1)), np.tile(labels, 1000)) < 0.4


def test_predictions_that_are_always_sure_and_wrong_have_the_highest_temperature():
    probabilities = np.tile([1 - 1e-9, 1e-9], (50, 1))
    assert fit_temperature(probabilities, np.ones(50, int)) == pytest.approx(HIGHEST, rel=1e-3)
