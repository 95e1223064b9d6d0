import numpy as np
import pytest

from competition.utils.errors import InputError
from submissions.fingerprints.noise import SATURATED, luminance, noise_part, noise_residual, remove_periodic


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def gray(levels: np.ndarray) -> np.ndarray:
    return np.repeat(np.clip(np.rint(levels), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def test_luminance_of_a_gray_photo_is_its_gray_level():
    np.testing.assert_allclose(luminance(np.full((2, 3, 3), 77, np.uint8)), 77, rtol=1e-6)


def test_residual_of_a_smooth_photo_is_its_noise(rng):
    noise = rng.normal(0, 3, (115, 130))  # sides that are no multiple of the wavelet's
    scene = 100 + 0.5 * np.arange(130) + 0.2 * np.arange(115)[:, None]
    residual, levels = noise_residual(gray(scene + noise))
    assert residual.shape == levels.shape == (115, 130) and residual.dtype == levels.dtype == np.float32
    assert np.corrcoef(residual.ravel(), noise.ravel())[0, 1] > 0.7
    assert abs(residual.mean()) < 0.1


def test_strong_edges_are_not_noise(rng):
    scene = np.where(np.arange(128) < 64, 60.0, 180.0) * np.ones((128, 1))
    residual, _ = noise_residual(gray(scene))
    assert np.abs(residual).max() < 6  # of a step of 120 gray levels


def test_saturated_pixels_count_nothing(rng):
    pixels = gray(rng.normal(128, 3, (128, 128)))
    pixels[:8, :, 1] = SATURATED
    residual, levels = noise_residual(pixels)
    assert not residual[:8].any() and not levels[:8].any() and levels[8:].all()


def test_photo_that_is_too_small_is_refused_with_its_size():
    with pytest.raises(InputError, match="200x100 pixels, expected sides of at least 112"):
        noise_residual(np.zeros((100, 200, 3), np.uint8))


def test_wiener_filter_keeps_weak_values_and_drops_strong_ones():
    weak, strong = np.full((20, 20), 0.5, np.float32), np.full((20, 20), 50, np.float32)
    np.testing.assert_allclose(noise_part(weak, 1.0), weak)
    np.testing.assert_allclose(noise_part(strong, 1.0), strong / 2500, rtol=1e-4)


def test_rows_columns_and_jpeg_blocks_are_removed_and_the_pattern_stays(rng):
    pattern = rng.standard_normal((128, 128)).astype(np.float32)
    row, column = np.mgrid[:128, :128]
    shared = 2 * (row % 8 == 0) + rng.standard_normal(128)[:, None] + 2 * np.cos(2 * np.pi * (row + 2 * column) / 8)
    cleaned = remove_periodic(pattern + shared.astype(np.float32))
    assert np.corrcoef(cleaned.ravel(), pattern.ravel())[0, 1] > 0.9
    assert abs(np.corrcoef(cleaned.ravel(), shared.ravel())[0, 1]) < 0.05
