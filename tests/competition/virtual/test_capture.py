import numpy as np
import pytest

from competition.virtual.cameras import CAMERAS
from competition.virtual.capture import take_photo

SCALE = 0.25


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
def test_a_photograph_has_the_native_size_and_an_ordinary_brightness(camera):
    photos = [take_photo(camera, "a", 0, index, SCALE).pixels for index in range(3)]
    assert all(photo.dtype == np.uint8 and photo.shape == (*camera.native_size(SCALE), 3) for photo in photos)
    assert 50 < np.mean([photo.mean() for photo in photos]) < 200
    assert all(photo.std() > 5 for photo in photos)


def test_it_depends_on_its_arguments_alone():
    camera = CAMERAS["Virtual-Fir-F2"]
    first = take_photo(camera, "a", 0, 0, SCALE)
    np.random.default_rng().random(7)
    again = take_photo(camera, "a", 0, 0, SCALE)
    assert first.jpeg() == again.jpeg()
    for device, seed, index in (("b", 0, 0), ("a", 1, 0), ("a", 0, 1)):
        assert not np.array_equal(first.pixels, take_photo(camera, device, seed, index, SCALE).pixels)


def test_cameras_take_other_scenes_with_the_same_seed():
    photos = [take_photo(camera, "a", 0, 0, SCALE) for camera in CAMERAS.values()]
    assert len({photo.shot.taken_at for photo in photos}) == len(photos)
    assert len({photo.shot.light for photo in photos}) == len(photos)
