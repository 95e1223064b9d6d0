"""The fixed statistics against what they are said to be."""

import keras
import numpy as np
import pytest

from models.statistics import CELL, CHANNELS, FLOOR, QUANTILES, STRATA, Distribution, EnergyMaps


def photo(height=64, width=96, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (1, height, width, 3), dtype=np.uint8)


def maps(pixels):
    return np.asarray(EnergyMaps()(pixels))


@pytest.mark.parametrize(("height", "width"), [(64, 96), (67, 100), (72, 65)])
def test_a_map_has_a_cell_for_every_eight_pixels(height, width):
    found = maps(photo(height, width))
    assert found.shape == (1, height // CELL, width // CELL, CHANNELS)
    assert found.shape == EnergyMaps().compute_output_shape((1, height, width, 3))


def test_the_first_maps_are_the_mean_colours_of_the_cells():
    pixels = photo()
    cells = pixels.astype(float).reshape(8, 8, 12, 8, 3).mean(axis=(1, 3))
    luminance = cells @ [0.299, 0.587, 0.114]
    found = maps(pixels)[0]
    np.testing.assert_allclose(found[..., 0] * 64, luminance, rtol=1e-4)
    np.testing.assert_allclose(found[..., 1] * 64, cells[..., 2] - luminance, atol=1e-2)


def test_noise_of_twice_the_size_has_four_times_the_energy():
    noise = np.random.default_rng(0).normal(0, 4, (1, 64, 64, 3))
    energies = [np.exp(3 * maps(128 + scale * noise)[0, 1:-1, 1:-1, 3]) - FLOOR for scale in (1, 2)]
    np.testing.assert_allclose(energies[1] / energies[0], 4, rtol=1e-2)


def test_a_flat_photograph_has_no_detail():
    found = maps(np.full((1, 64, 64, 3), 77, np.uint8))[0, 2:-2, 2:-2]
    np.testing.assert_allclose(found[..., 3], np.log(FLOOR) / 3, rtol=1e-4)


def test_the_distribution_is_that_of_the_cells_wherever_they_lie():
    found = maps(photo(128, 128))
    flat = found.reshape(1, -1, CHANNELS)
    shuffled = flat[:, np.random.default_rng(1).permutation(flat.shape[1])].reshape(found.shape)
    predicted = np.asarray(Distribution()(found))
    assert predicted.shape == (1, (len(QUANTILES) + len(STRATA) - 1) * CHANNELS)
    np.testing.assert_allclose(np.asarray(Distribution()(shuffled)), predicted, rtol=1e-4, atol=1e-4)
    ranks = np.round(np.array(QUANTILES) * (flat.shape[1] - 1)).astype(int)
    np.testing.assert_allclose(
        predicted[0, : len(QUANTILES) * CHANNELS], np.sort(flat[0], axis=0)[ranks].ravel(), rtol=1e-5
    )


def test_a_model_with_them_is_saved_and_read(tmp_path):
    pixels = keras.Input((None, None, 3), dtype="uint8")
    model = keras.Model(pixels, Distribution()(EnergyMaps()(pixels)))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(again.predict(photo(), verbose=0), model.predict(photo(), verbose=0))
