import numpy as np
import pytest

from competition.utils.errors import InputError
from competition.virtual.cameras import CAMERAS, find_camera
from competition.virtual.demosaic import METHODS
from competition.virtual.make_competition import SIZES
from competition.virtual.quantization import quantization_tables


def test_ten_models_are_marked_as_virtual():
    assert len(CAMERAS) == 10
    assert all("virtual" in camera.make.lower() for camera in CAMERAS.values())
    assert len({(camera.make, camera.model) for camera in CAMERAS.values()}) == 10
    assert all(name == camera.name and name.startswith("Virtual-") for name, camera in CAMERAS.items())


def test_models_cover_all_kinds_of_processing():
    cameras = CAMERAS.values()
    assert {camera.pattern for camera in cameras} == {"RGGB", "BGGR", "GRBG", "GBRG"}
    assert {camera.demosaicing for camera in cameras} == set(METHODS)
    assert {camera.compression.subsampling for camera in cameras} == {"4:4:4", "4:2:2", "4:2:0"}
    assert len({(camera.demosaicing, camera.denoising, camera.sharpening) for camera in cameras}) == 10


def test_every_model_has_its_own_valid_quantization_tables():
    tables = [np.array(quantization_tables(camera.compression)) for camera in CAMERAS.values()]
    assert all(table.shape == (2, 64) and table.min() >= 1 and table.max() <= 255 for table in tables)
    assert len({table.tobytes() for table in tables}) == 10


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_center_crops_are_on_the_jpeg_grid_except_for_one_model(size):
    odd = set()
    for camera in CAMERAS.values():
        height, width = camera.native_size(size.scale)
        assert height % 2 == width % 2 == 0  # whole cells of the color filter array
        assert min(height, width) >= 2 * size.patch + 32  # a patch fits even at half size
        if ((height - size.patch) // 2) % 8 or ((width - size.patch) // 2) % 8:
            odd.add(camera.name)
    assert odd == {"Virtual-Elm-E5"}
    height, _ = CAMERAS["Virtual-Elm-E5"].native_size(size.scale)
    assert (height - size.patch) // 2 % 2 == 1


def test_unknown_camera_raises_and_lists_known_names():
    with pytest.raises(InputError, match="Virtual-Alder-A1"):
        find_camera("Nikon")
