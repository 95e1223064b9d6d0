import cv2
import keras
import numpy as np
import pytest

from models.classifier import build
from models.front_ends.dct import dct_matrix
from models.front_ends.distributions import BRIGHTNESS, COARSE, FINE, JointHistograms, frequency_bands, membership
from models.presets import classifier_recipe
from models.training.features import fixed_layer

LOW_WITH_HIGHEST = slice(2 * 8 * 15, 3 * 8 * 15)  # features of the first scale


def photo(seed=0, side=96):
    """Blurred noise, uint8 (side, side, 3)."""
    noise = np.random.default_rng(seed).normal(size=(side, side, 3)).astype(np.float32)
    return np.clip(128 + 250 * cv2.GaussianBlur(noise, (0, 0), 2), 0, 255).astype(np.uint8)


def features(pixels):
    return keras.ops.convert_to_numpy(JointHistograms()(pixels[None]))[0]


def test_every_value_lies_in_one_level_and_edges_belong_to_the_level_above():
    levels = keras.ops.convert_to_numpy(membership(np.array([[-5.0, 1.0, 1.5, 99.0]], np.float32), (1.0, 2.0)))
    np.testing.assert_array_equal(levels[0], np.eye(3)[[0, 1, 1, 2]])


def test_bands_are_means_over_coefficients_without_the_mean_of_the_block():
    bands = frequency_bands()
    np.testing.assert_allclose(bands.sum(axis=0), 1, rtol=1e-6)
    assert (bands[0] == 0).all() and ((bands[:, :4] > 0).sum(axis=1)[1:] == 1).all()
    across, down = bands[:, 4].reshape(8, 8), bands[:, 5].reshape(8, 8)
    np.testing.assert_array_equal(across, down.T)


def test_joint_histogram_counts_the_pairs_of_levels_of_the_blocks():
    pixels = photo()
    gray = pixels.astype(np.float64) @ [0.299, 0.587, 0.114] - 128
    blocks = gray.reshape(12, 8, 12, 8).transpose(0, 2, 1, 3)
    squares = np.square(dct_matrix(8) @ blocks @ dct_matrix(8).T).reshape(144, 64)
    energies = np.log2(squares @ frequency_bands() + 0.03)
    pairs = np.searchsorted(COARSE, energies[:, 0], "right"), np.searchsorted(FINE, energies[:, 3], "right")
    expected = np.zeros((len(COARSE) + 1, len(FINE) + 1))
    np.add.at(expected, pairs, 1 / 144)
    np.testing.assert_allclose(np.square(features(pixels)[LOW_WITH_HIGHEST]), expected.ravel(), atol=1.5 / 144)


def test_every_joint_histogram_sums_to_one():
    found = np.square(features(photo()))
    joint = 8 * (len(FINE) + 1)
    sizes = [joint] * 3 + [15 * 15] + [(len(BRIGHTNESS) + 1) * 15] * 4
    parts = np.split(found, np.cumsum(sizes * 3)[:-1])
    np.testing.assert_allclose([part.sum() for part in parts], 1, rtol=1e-5)


@pytest.mark.parametrize("change", [lambda p: cv2.blur(p, (1, 9)), lambda p: cv2.GaussianBlur(p, (0, 0), 1.5)])
def test_blur_changes_the_distribution_more_than_another_scene_does(change):
    first, other = photo(0, 256), photo(1, 256)
    distance = np.abs(features(first) - features(other)).sum()
    assert np.abs(features(first) - features(change(first))).sum() > 2 * distance


def test_blur_across_and_down_differ():
    pixels = photo(0, 256)
    across, down = features(cv2.blur(pixels, (9, 1))), features(cv2.blur(pixels, (1, 9)))
    assert np.abs(across - down).sum() > 5


def test_member_is_trained_on_features_of_the_fixed_layer():
    recipe = classifier_recipe("smoke", "settingsnet", "settings")
    name = fixed_layer("settingsnet", recipe)
    network = build("settingsnet", recipe, {"iso": 3})
    assert name is not None and network.get_layer(name).output.shape == (None, 2688 + 2655)
    assert not any(layer.weights for layer in network.layers[: network.layers.index(network.get_layer(name))])
