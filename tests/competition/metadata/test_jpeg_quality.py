"""The estimate returns the quality that libjpeg saved with, and agrees with ImageMagick."""

import io
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from competition.metadata.jpeg_quality import UNKNOWN, estimate_quality, standard_tables


def saved_tables(quality: int, mode: str) -> dict[int, list[int]]:
    buffer = io.BytesIO()
    Image.new(mode, (16, 16)).save(buffer, "JPEG", quality=quality)
    buffer.seek(0)
    return JpegImageFile(buffer).quantization


@pytest.mark.parametrize("quality", range(1, 101))
def test_standard_tables_are_those_of_libjpeg(quality):
    saved = saved_tables(quality, "RGB")
    for slot, table in enumerate(standard_tables(quality)):
        np.testing.assert_array_equal(table, saved[slot])


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_estimate_is_the_quality_of_the_saved_file(mode):
    assert [estimate_quality(saved_tables(q, mode)) for q in range(1, 101)] == list(range(1, 101))


@given(st.dictionaries(st.integers(0, 3), st.lists(st.integers(0, 65535), min_size=64, max_size=64)))
def test_any_tables_have_an_estimate(tables):
    assert 1 <= estimate_quality(tables) <= 100


def test_missing_luminance_tables_have_no_estimate():
    assert estimate_quality({}) == UNKNOWN


def test_the_estimate_agrees_with_imagemagick_on_real_photos(real_photos):
    if shutil.which("identify") is None:
        pytest.skip("needs ImageMagick's identify")
    paths = sorted(map(str, real_photos.rglob("*.jpg")))
    found = subprocess.run(["identify", "-ping", "-format", "%Q\n", *paths], capture_output=True, text=True, check=True)
    for path, quality in zip(paths, map(int, found.stdout.split()), strict=True):
        with JpegImageFile(path) as image:
            assert abs(estimate_quality(image.quantization) - quality) <= 1, path
