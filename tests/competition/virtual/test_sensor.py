import numpy as np
import pytest

from competition.virtual.cameras import CAMERAS, WHITE_LEVEL
from competition.virtual.sensor import PRNU_STRENGTH, expose, make_device, mosaic
from competition.virtual.window import Window

CAMERA = CAMERAS["Virtual-Alder-A1"]


def noise(rng, shape):
    return rng.standard_normal(shape, dtype=np.float32)


def flats(device, iso=100, count=30, level=0.4):
    """Mean and standard deviation, over `count` exposures of a uniform gray, of each pixel's share of the range."""
    rng = np.random.default_rng(0)
    gray = np.full(device.gain.shape, level, np.float32)
    shots = np.stack([expose(gray, noise(rng, gray.shape), CAMERA, device, iso, 0.01) for _ in range(count)])
    shares = (shots - CAMERA.black_level) / (WHITE_LEVEL - CAMERA.black_level)
    return shares.mean(0), shares.std(0)


def test_photos_contain_the_prnu_of_their_device_only():
    mine, other = make_device("mine", Window(0, 0, 48, 64)), make_device("other", Window(0, 0, 48, 64))
    mean, _ = flats(mine)
    assert np.corrcoef(mean.ravel(), mine.gain.ravel())[0, 1] > 0.9
    assert abs(np.corrcoef(mean.ravel(), other.gain.ravel())[0, 1]) < 0.1
    assert mine.gain.std() == pytest.approx(PRNU_STRENGTH, rel=0.1)


def test_same_name_gives_same_device():
    first, again = make_device("a", Window(0, 0, 16, 16)), make_device("a", Window(0, 0, 16, 16))
    assert np.array_equal(first.gain, again.gain) and np.array_equal(first.color, again.color)


def test_part_of_a_sensor_equals_the_whole_sensor_there():
    frame, part = Window(0, 0, 200, 300), Window(50, 60, 70, 80)
    whole, some = make_device("a", frame), make_device("a", frame, part)
    assert np.array_equal(whole.gain[50:120, 60:140], some.gain)
    assert np.array_equal(whole.dark_current[50:120, 60:140], some.dark_current)
    assert np.array_equal(whole.color, some.color)
    assert (whole.dark_current > whole.dark_current.min()).sum() == 6  # hot pixels


def test_noise_depends_on_iso_and_light():
    device = make_device("a", Window(0, 0, 48, 64))
    noise = {iso: flats(device, iso)[1].mean() for iso in (100, 400, 1600)}
    assert noise[400] == pytest.approx(2 * noise[100], rel=0.1)  # a quarter of the electrons
    assert noise[1600] == pytest.approx(4 * noise[100], rel=0.1)
    expected = np.sqrt(0.4 * CAMERA.full_well + CAMERA.read_noise**2) / CAMERA.full_well
    assert noise[100] == pytest.approx(expected, rel=0.1)


def test_converter_clips():
    device = make_device("a", Window(0, 0, 16, 16))
    bright = expose(np.full((16, 16), 9, np.float32), np.zeros((16, 16), np.float32), CAMERA, device, 100, 0.01)
    assert (bright == WHITE_LEVEL).all()


@pytest.mark.parametrize("pattern", ["RGGB", "BGGR", "GRBG", "GBRG"])
def test_each_filter_passes_its_color(pattern):
    planes = [np.full((4, 6), value, np.float32) for value in (1, 2, 3)]
    cell = mosaic(planes, pattern)[:2, :2].ravel()
    assert ["RGB"[int(value) - 1] for value in cell] == list(pattern)
