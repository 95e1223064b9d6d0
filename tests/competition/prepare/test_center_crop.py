"""A center crop keeps the phase of every grid, is lossless, and is at least as large as requested."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from augment.crops import phase_positions
from augment.manipulations import NAMES, SCALES, fits
from augment.matlab_resize import RESIZE_BORDER
from competition.metadata.header import read_header
from competition.prepare.center_crop import center_span, crop_jpeg, crop_to_center
from competition.prepare.run import DEFAULT_SIZE
from competition.utils.errors import InputError

SIDES = st.integers(1, 9000)
UNITS = st.sampled_from([8, 16])


def jpeg(height: int, width: int) -> bytes:
    """A JPEG of noise with chroma subsampling 4:2:0."""
    pixels = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, "JPEG", quality=90, subsampling="4:2:0")
        return stream.getvalue()


@given(SIDES, st.integers(1, 3000), UNITS)
def test_a_span_is_centered_long_enough_and_no_longer_than_needed(side, size, unit):
    start, length = center_span(side, size, unit)
    assert start % unit == 0
    assert side - length == 2 * start
    assert min(side, size) <= length < size + 2 * 5 * unit


@given(SIDES, st.integers(1, 700), UNITS)
def test_a_span_keeps_the_center_and_the_grids_of_every_manipulation(side, size, unit):
    """Whatever the parity of a side, its span has the same center crop and crop positions of the same phase."""
    start, length = center_span(side, DEFAULT_SIZE, unit)
    for name in NAMES:
        if not fits(length, length, name, size):
            continue
        outputs, inputs = (SCALES[name].outputs, SCALES[name].inputs) if name in SCALES else (1, 1)
        resized, shift = (-(-part * outputs // inputs) for part in (side, start))
        assert shift * inputs == start * outputs
        step, border = (SCALES[name].phase_step, RESIZE_BORDER) if name in SCALES else (8, 0)
        positions = phase_positions(resized, size, step, border)
        inside = phase_positions(-(-length * outputs // inputs), size, step, border)
        assert all(position + shift in positions for position in inside)
        assert (resized - size) // 2 == shift + (-(-length * outputs // inputs) - size) // 2


def test_a_crop_has_the_pixels_of_the_original_away_from_the_border():
    data = jpeg(200, 240)
    cropped = crop_jpeg(data, left=48, top=32, width=100, height=90)
    original, pixels = (np.asarray(Image.open(io.BytesIO(file))) for file in (data, cropped))
    assert pixels.shape == (90, 100, 3)
    assert np.array_equal(pixels[2:-2, 2:-2], original[34:120, 50:146])


@pytest.mark.parametrize(("left", "top"), [(8, 0), (0, 3)])
def test_a_crop_off_the_block_grid_is_rejected(left, top):
    with pytest.raises(InputError, match="must be a multiple of 16"):
        crop_jpeg(jpeg(200, 200), left, top, 100, 100)


def test_a_photo_is_cropped_copied_or_skipped_with_a_reason(tmp_path):
    (tmp_path / "large.jpg").write_bytes(jpeg(400, 500))
    (tmp_path / "small.jpg").write_bytes(jpeg(90, 80))
    (tmp_path / "short.jpg").write_bytes(jpeg(90, 80)[:-40])
    (tmp_path / "page.jpg").write_text("<html>")
    out = tmp_path / "out"
    large, small, short, page = (
        crop_to_center(tmp_path, out, 200, f"{name}.jpg") for name in ("large", "small", "short", "page")
    )
    assert large == ("large.jpg", 80, 80, 500, 400, (out / "large.jpg").stat().st_size)
    assert (read_header(out / "large.jpg").width, read_header(out / "large.jpg").height) == (340, 240)
    assert small == ("small.jpg", 0, 0, 80, 90, (tmp_path / "small.jpg").stat().st_size)
    assert (out / "small.jpg").read_bytes() == (tmp_path / "small.jpg").read_bytes()
    assert short == "truncated"
    assert isinstance(page, str) and page.startswith("a file that begins with")
    assert sorted(path.name for path in out.iterdir()) == ["large.jpg", "small.jpg"]


def test_a_damaged_crop_is_made_again(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg(400, 500))
    first = crop_to_center(tmp_path, tmp_path / "out", 200, "a.jpg")
    cropped = (tmp_path / "out" / "a.jpg").read_bytes()
    (tmp_path / "out" / "a.jpg").write_bytes(b"half")
    assert crop_to_center(tmp_path, tmp_path / "out", 200, "a.jpg") == first
    assert (tmp_path / "out" / "a.jpg").read_bytes() == cropped
