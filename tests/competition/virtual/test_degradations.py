import numpy as np
import pytest

from competition.virtual.cameras import CAMERAS
from competition.virtual.capture import set_up, take_photo
from competition.virtual.degradations import COLUMNS, LAYERS, degradations
from competition.virtual.optics import lens_softness
from competition.virtual.sensor import Device, expose, noise_level

CAMERA = CAMERAS["Virtual-Cedar-C3"]


def test_degradations_are_those_of_the_photo_that_is_taken():
    for index in range(3):
        photo, setup = take_photo(CAMERA, "a", 0, index, 0.25), set_up(CAMERA, "a", 0, index, 0.25)
        assert setup.settings == photo.settings
        found = degradations(CAMERA, setup)
        assert set(found) == set(COLUMNS)
        assert found["noise"] == noise_level(CAMERA, photo.settings.iso)
        assert found["softness"] == lens_softness(photo.settings.f_number)


def test_longer_exposures_move_layers_further():
    setups = [set_up(CAMERA, "a", 0, index, 0.25) for index in range(40)]
    found = [degradations(CAMERA, setup) for setup in setups]
    lengths = np.array([max(values[f"motion_{layer}"] for layer in LAYERS) for values in found])
    order = np.argsort([float(setup.settings.exposure_time) for setup in setups])
    assert lengths[order[-10:]].mean() > 5 * lengths[order[:10]].mean()


@pytest.mark.parametrize("iso", [100, 800])
def test_noise_level_is_the_deviation_of_exposed_middle_gray(iso):
    shape = (200, 200)
    noise = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    flat = Device(np.ones(shape, np.float32), np.zeros(shape, np.float32), np.ones(3, np.float32))
    raw = expose(np.full(shape, 0.17, np.float32), noise, CAMERA, flat, iso, 0.01)
    assert (raw / (4095 - CAMERA.black_level)).std() == pytest.approx(noise_level(CAMERA, iso), rel=0.02)
