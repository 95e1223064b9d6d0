import keras
import numpy as np
import pytest

from models.training.losses import SmoothedCrossentropy

LABELS = np.array([0, 2, 1])
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]], np.float32)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_smoothed_cross_entropy_equals_that_of_smoothed_targets(smoothing):
    found = SmoothedCrossentropy(smoothing)(LABELS, PROBABILITIES)
    expected = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)(np.eye(3)[LABELS], PROBABILITIES)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_weights_multiply_the_loss_of_each_example():
    loss = SmoothedCrossentropy(0.1, reduction="none")
    one = keras.ops.convert_to_numpy(loss(LABELS, PROBABILITIES))
    weighted = loss(LABELS, PROBABILITIES, sample_weight=np.array([0.0, 1.0, 2.0]))
    np.testing.assert_allclose(weighted, one * [0, 1, 2], rtol=1e-5)


def test_configuration_is_kept():
    loss = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(SmoothedCrossentropy(0.2)))
    assert loss.smoothing == 0.2
