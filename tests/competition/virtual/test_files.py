import io
from datetime import datetime
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.JpegImagePlugin import JpegImageFile

from competition.virtual.cameras import CAMERAS
from competition.virtual.exposure import Settings
from competition.virtual.files import Shot, decode_jpeg, encode_jpeg, make_exif
from competition.virtual.quantization import quantization_tables

SETTINGS = Settings(2.8, 400, Fraction(1, 60), 2, -0.3)
SHOT = Shot("A1-0001", datetime(2025, 3, 4, 5, 6, 7, 89000), 35, 2.0, 8.0, 48, 64)
SAMPLING = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:2:0": (2, 2)}
every_camera = pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)


def written(camera):
    pixels = np.random.default_rng(0).integers(0, 256, size=(48, 64, 3), dtype=np.uint8)
    return encode_jpeg(pixels, camera, make_exif(camera, SETTINGS, SHOT))


@every_camera
def test_exif_contains_camera_device_time_and_settings(camera):
    with Image.open(io.BytesIO(written(camera))) as image:
        exif = image.getexif()
        details = exif.get_ifd(IFD.Exif)
    assert len(exif) + len(details) >= 20
    assert (exif[Base.Make], exif[Base.Model], exif[Base.Software]) == (camera.make, camera.model, camera.software)
    assert details[Base.FNumber] == Fraction(14, 5)
    assert details[Base.ExposureTime] == Fraction(1, 60)
    assert details[Base.ISOSpeedRatings] == 400
    assert details[Base.BodySerialNumber] == "A1-0001"
    assert details[Base.DateTimeOriginal] == "2025:03:04 05:06:07"
    assert (details[Base.ExifImageHeight], details[Base.ExifImageWidth]) == (48, 64)
    assert float(details[Base.ShutterSpeedValue]) == pytest.approx(np.log2(60), abs=0.01)
    assert float(details[Base.ApertureValue]) == pytest.approx(2 * np.log2(2.8), abs=0.01)
    assert float(details[Base.ExposureBiasValue]) == pytest.approx(-0.3)


@every_camera
def test_jpeg_has_tables_and_subsampling_of_the_model(camera):
    with Image.open(io.BytesIO(written(camera))) as image:
        assert isinstance(image, JpegImageFile)
        assert [list(image.quantization[key]) for key in (0, 1)] == quantization_tables(camera.compression)
        _, across, down, _ = image.layer[0]
    assert (across, down) == SAMPLING[camera.compression.subsampling]


def test_makes_write_different_fields():
    fields = set()
    for camera in CAMERAS.values():
        exif = make_exif(camera, SETTINGS, SHOT)
        fields.add((exif[Base.XResolution], *sorted(exif.get_ifd(IFD.Exif))))
    assert len(fields) >= 6


def test_smooth_image_is_nearly_unchanged_by_jpeg():
    ramp = np.broadcast_to(np.linspace(60, 180, 64).astype(np.uint8)[None, :, None], (48, 64, 3))
    for camera in CAMERAS.values():
        decoded = decode_jpeg(encode_jpeg(ramp, camera, make_exif(camera, SETTINGS, SHOT)))
        assert decoded.shape == (48, 64, 3)
        assert np.abs(decoded.astype(int) - ramp).max() <= 6
