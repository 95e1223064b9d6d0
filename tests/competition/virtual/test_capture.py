import numpy as np
import pytest

from competition.virtual.cameras import CAMERAS
from competition.virtual.capture import take_photo
from competition.virtual.files import decode_jpeg
from competition.virtual.window import Window

SCALE = 0.25


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
def test_photo_has_native_size_and_ordinary_brightness(camera):
    photos = [take_photo(camera, "a", 0, index, SCALE).pixels for index in range(3)]
    assert all(photo.dtype == np.uint8 and photo.shape == (*camera.native_size(SCALE), 3) for photo in photos)
    assert 50 < np.mean([photo.mean() for photo in photos]) < 200
    assert all(photo.std() > 5 for photo in photos)


def test_photo_depends_on_arguments_only():
    camera = CAMERAS["Virtual-Fir-F2"]
    first = take_photo(camera, "a", 0, 0, SCALE)
    np.random.default_rng().random(7)
    again = take_photo(camera, "a", 0, 0, SCALE)
    assert first.jpeg() == again.jpeg()
    for device, seed, index in (("b", 0, 0), ("a", 1, 0), ("a", 0, 1)):
        assert not np.array_equal(first.pixels, take_photo(camera, device, seed, index, SCALE).pixels)


def test_cameras_take_different_scenes_with_the_same_seed():
    photos = [take_photo(camera, "a", 0, 0, SCALE) for camera in CAMERAS.values()]
    assert len({photo.shot.taken_at for photo in photos}) == len(photos)
    assert len({photo.shot.light for photo in photos}) == len(photos)


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
def test_window_has_the_pixels_of_the_whole_photo_and_its_jpeg(camera):
    window = Window(48, 64, 112, 144)
    rows, columns = slice(48, 160), slice(64, 208)
    whole, part = take_photo(camera, "a", 0, 7, 0.5), take_photo(camera, "a", 0, 7, 0.5, window)
    assert part.shot == whole.shot and part.settings == whole.settings
    differences = np.abs(part.pixels.astype(int) - whole.pixels[rows, columns])
    assert differences.max() <= 1 and (differences > 0).mean() < 0.001
    inside = slice(16, -16)
    decoded = [decode_jpeg(part.jpeg())[inside, inside], decode_jpeg(whole.jpeg())[rows, columns][inside, inside]]
    assert (decoded[0] != decoded[1]).mean() < 0.01
