"""One file is read with its header, camera, split and, on request, its perceptual hash."""

import numpy as np
import pytest
from PIL import Image

from competition.doctor.read_file import Photo, camera_and_split, read_photo, sort_sides


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("train/mine/1.jpg", ("mine", "train")),
        ("validation/mine/more/1.jpg", ("mine", "validation")),
        ("mine/1.jpg", ("mine", "train")),
        ("1.jpg", (None, "train")),
        ("train/1.jpg", (None, "train")),
        ("train/train/mine/1.jpg", ("mine", "train")),
        ("train/train/1.jpg", ("train", "train")),
        ("test/test/x_unalt.tif", (None, "test")),
        ("test/x_unalt.tif", (None, "test")),
        ("test/mine/x_unalt.tif", (None, "test")),
    ],
)
def test_camera_and_split_come_from_the_path(path, expected):
    assert camera_and_split(path) == expected


def test_portrait_and_landscape_have_the_same_sides():
    assert sort_sides(3, 4) == sort_sides(4, 3) == (4, 3)


def test_pixels_are_decoded_on_request(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8)
    (tmp_path / "mine").mkdir()
    Image.fromarray(pixels).save(tmp_path / "mine/1.jpg")
    photo, decoded = (read_photo(tmp_path, decode, "mine/1.jpg") for decode in (False, True))
    assert isinstance(photo, Photo) and isinstance(decoded, Photo)
    assert (photo.camera, photo.header.width, photo.looks) == ("mine", 80, None)
    assert decoded.looks is not None
    assert decoded.decode_error is None


def test_a_file_that_is_not_an_image_returns_the_reason(tmp_path):
    (tmp_path / "page.jpg").write_text("<html>")
    assert read_photo(tmp_path, False, "page.jpg") == "a file that begins with b'<html>', not a JPEG, PNG or TIFF image"
