import numpy as np
import pytest

from competition.virtual.demosaic import METHODS, demosaic
from competition.virtual.sensor import mosaic

PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG")
every_pattern = pytest.mark.parametrize("pattern", PATTERNS)
every_method = pytest.mark.parametrize("method", METHODS)


def planes(image):
    return np.moveaxis(image, -1, 0)


def smooth_image():
    y, x = np.mgrid[0:24, 0:32].astype(np.float32)
    return np.stack([0.3 + 0.005 * x, 0.4 + 0.004 * y, 0.5 - 0.003 * (x + y)], axis=-1).astype(np.float32)


@every_pattern
@every_method
def test_uniform_color_is_restored_exactly(pattern, method):
    flat = np.broadcast_to(np.array([0.2, 0.5, 0.3], np.float32), (8, 10, 3))
    assert np.allclose(demosaic(mosaic(planes(flat), pattern), pattern, method), flat, atol=1e-5)


@every_pattern
@every_method
def test_measured_samples_are_kept(pattern, method):
    noise = np.random.default_rng(0).uniform(0.2, 0.8, size=(12, 16)).astype(np.float32)
    assert np.allclose(mosaic(planes(demosaic(noise, pattern, method)), pattern), noise, atol=1e-5)


@every_pattern
@every_method
def test_smooth_image_is_nearly_restored(pattern, method):
    image = smooth_image()
    restored = demosaic(mosaic(planes(image), pattern), pattern, method)
    assert np.abs(restored - image)[4:-4, 4:-4].max() < 0.02


def test_wrong_phase_gives_large_errors():
    image = smooth_image()
    wrong = demosaic(mosaic(planes(image), "RGGB"), "BGGR", "bilinear")
    assert np.abs(wrong - image)[4:-4, 4:-4].max() > 0.1


def test_methods_give_different_results():
    noise = np.random.default_rng(1).uniform(0.2, 0.8, size=(32, 32)).astype(np.float32)
    images = [demosaic(noise, "RGGB", method) for method in METHODS]
    for number, one in enumerate(images):
        assert all(np.abs(one - other).mean() > 0.005 for other in images[:number])
