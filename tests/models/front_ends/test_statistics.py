import keras
import numpy as np
import pytest

from models.front_ends.statistics import (
    CELL,
    CHANNELS,
    LUMINANCE_EDGES,
    MIN_ENERGY,
    QUANTILES,
    Distribution,
    EnergyMaps,
    build,
)
from models.presets import classifier_recipe


def photo(height=64, width=96, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (1, height, width, 3), dtype=np.uint8)


def maps(pixels):
    return np.asarray(EnergyMaps()(pixels))


@pytest.mark.parametrize(("height", "width"), [(64, 96), (67, 100), (72, 65)])
def test_maps_have_one_cell_per_eight_pixels(height, width):
    found = maps(photo(height, width))
    assert found.shape == (1, height // CELL, width // CELL, CHANNELS)
    assert found.shape == EnergyMaps().compute_output_shape((1, height, width, 3))


def test_first_channels_are_the_mean_colors_of_the_cells():
    pixels = photo()
    cells = pixels.astype(float).reshape(8, 8, 12, 8, 3).mean(axis=(1, 3))
    luminance = cells @ [0.299, 0.587, 0.114]
    found = maps(pixels)[0]
    np.testing.assert_allclose(found[..., 0] * 64, luminance, rtol=1e-4)
    np.testing.assert_allclose(found[..., 1] * 64, cells[..., 2] - luminance, atol=1e-2)


def test_noise_of_twice_the_amplitude_has_four_times_the_energy():
    noise = np.random.default_rng(0).normal(0, 4, (1, 64, 64, 3))
    energies = [np.exp(3 * maps(128 + scale * noise)[0, 1:-1, 1:-1, 3]) - MIN_ENERGY for scale in (1, 2)]
    np.testing.assert_allclose(energies[1] / energies[0], 4, rtol=1e-2)


def test_constant_photo_has_the_minimum_energy():
    found = maps(np.full((1, 64, 64, 3), 77, np.uint8))[0, 2:-2, 2:-2]
    np.testing.assert_allclose(found[..., 3], np.log(MIN_ENERGY) / 3, rtol=1e-4)


def test_distribution_does_not_depend_on_the_positions_of_the_cells():
    found = maps(photo(128, 128))
    flat = found.reshape(1, -1, CHANNELS)
    shuffled = flat[:, np.random.default_rng(1).permutation(flat.shape[1])].reshape(found.shape)
    predicted = np.asarray(Distribution()(found))
    assert predicted.shape == (1, (len(QUANTILES) + len(LUMINANCE_EDGES) - 1) * CHANNELS)
    np.testing.assert_allclose(np.asarray(Distribution()(shuffled)), predicted, rtol=1e-4, atol=1e-4)
    ranks = np.round(np.array(QUANTILES) * (flat.shape[1] - 1)).astype(int)
    np.testing.assert_allclose(
        predicted[0, : len(QUANTILES) * CHANNELS], np.sort(flat[0], axis=0)[ranks].ravel(), rtol=1e-5
    )


def test_reloaded_model_predicts_the_same(tmp_path):
    pixels = keras.Input((None, None, 3), dtype="uint8")
    model = keras.Model(pixels, Distribution()(EnergyMaps()(pixels)))
    model.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(restored.predict(photo(), verbose=0), model.predict(photo(), verbose=0))


@pytest.mark.parametrize(("smallest", "side"), [(8, 8), (9, 16), (32, 32), (75, 80)])
def test_maps_are_repeated_until_the_backbone_can_take_them(smallest, side):
    recipe = classifier_recipe("smoke", "statnet", patch=64)
    output = build(keras.Input((64, 64, 3)), keras.Input((1,)), recipe, smallest)
    assert output.image is not None and output.image.shape == (None, side, side, CHANNELS)
    assert output.features is not None and output.features.shape == (None, 64)
    assert output.hidden is not None and output.hidden.shape == (None, 65)
