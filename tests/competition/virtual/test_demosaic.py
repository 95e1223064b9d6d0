import numpy as np
import pytest

from competition.virtual.demosaic import METHODS, demosaic
from competition.virtual.sensor import mosaic

PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG")
every = pytest.mark.parametrize("pattern", PATTERNS)
any_method = pytest.mark.parametrize("method", METHODS)


def planes(picture):
    return np.moveaxis(picture, -1, 0)


def smooth_picture():
    y, x = np.mgrid[0:24, 0:32].astype(np.float32)
    return np.stack([0.3 + 0.005 * x, 0.4 + 0.004 * y, 0.5 - 0.003 * (x + y)], axis=-1).astype(np.float32)


@every
@any_method
def test_even_colour_is_restored_exactly(pattern, method):
    flat = np.broadcast_to(np.float32([0.2, 0.5, 0.3]), (8, 10, 3))
    assert np.allclose(demosaic(mosaic(planes(flat), pattern), pattern, method), flat, atol=1e-5)


@every
@any_method
def test_what_was_measured_is_kept(pattern, method):
    noise = np.random.default_rng(0).uniform(0.2, 0.8, size=(12, 16)).astype(np.float32)
    assert np.allclose(mosaic(planes(demosaic(noise, pattern, method)), pattern), noise, atol=1e-5)


@every
@any_method
def test_slow_changes_are_restored_nearly(pattern, method):
    picture = smooth_picture()
    restored = demosaic(mosaic(planes(picture), pattern), pattern, method)
    assert np.abs(restored - picture)[4:-4, 4:-4].max() < 0.02


def test_a_wrong_phase_ruins_the_picture():
    picture = smooth_picture()
    wrong = demosaic(mosaic(planes(picture), "RGGB"), "BGGR", "bilinear")
    assert np.abs(wrong - picture)[4:-4, 4:-4].max() > 0.1


def test_methods_leave_different_traces():
    noise = np.random.default_rng(1).uniform(0.2, 0.8, size=(32, 32)).astype(np.float32)
    pictures = [demosaic(noise, "RGGB", method) for method in METHODS]
    for number, one in enumerate(pictures):
        assert all(np.abs(one - other).mean() > 0.005 for other in pictures[:number])
