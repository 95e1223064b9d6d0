"""Manipulations equal their references, and patches equal crops of the manipulated photo."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from augment.manipulations import (
    GAMMAS,
    NAMES,
    QUALITIES,
    SCALES,
    cut_patch,
    cut_test_patch,
    cut_training_patch,
    fits,
    manipulate,
    source_size,
)
from augment.matlab_resize import RESIZE_BORDER, resized_crop
from competition.manipulation import MANIPULATIONS
from competition.utils.errors import InputError


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_manipulations_are_the_eight_of_the_competition():
    assert (*QUALITIES, *SCALES, *GAMMAS) == MANIPULATIONS
    assert ("unaltered", *MANIPULATIONS) == NAMES
    assert len(set(NAMES)) == 9


def test_unaltered_returns_the_image_itself():
    image = noise(8, 9)
    assert manipulate(image, "unaltered") is image


def test_gamma_table_is_rounded_not_truncated():
    for name, changed in (("gamma0.8", 141), ("gamma1.2", 125)):
        exact = 255 * (np.arange(256) / 255) ** float(name[5:])
        assert (np.floor(exact) != GAMMAS[name]).sum() == changed
        assert np.abs(exact - GAMMAS[name]).max() <= 0.5


@pytest.mark.parametrize("name", GAMMAS)
def test_gamma_applies_its_table_to_every_channel(name):
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    assert (manipulate(ramp, name).reshape(-1, 3) == GAMMAS[name][:, None]).all()


@pytest.mark.parametrize("name", QUALITIES)
def test_jpeg_equals_libjpeg_bit_for_bit(name):
    for image in (noise(96, 96), np.asarray(Image.fromarray(noise(12, 9)).resize((90, 75)))):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=QUALITIES[name], subsampling="4:2:0")
        assert (manipulate(image, name) == np.asarray(Image.open(file))).all()


@pytest.mark.parametrize("name", SCALES)
def test_resize_returns_the_whole_resized_image(name):
    """The values are compared with MATLAB's in tests/augment/test_matlab_resize.py."""
    image = noise(33, 47)
    height, width = (int(np.ceil(float(name[6:]) * side)) for side in (33, 47))
    assert (manipulate(image, name) == resized_crop(image, SCALES[name], 0, 0, height, width)).all()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(size=st.integers(8, 40), more=st.tuples(st.integers(0, 50), st.integers(0, 50)), seed=st.integers(0, 9))
def test_test_patch_equals_the_center_of_the_manipulated_photo(name, size, more, seed):
    photo = noise(source_size(size, name) + more[0], source_size(size, name) + more[1], seed)
    manipulated = photo if name in QUALITIES else manipulate(photo, name)
    top, left = ((side - size) // 2 for side in manipulated.shape[:2])
    expected = manipulated[top : top + size, left : left + size]
    if name in QUALITIES:
        expected = manipulate(np.ascontiguousarray(expected), name)
    patch = cut_test_patch(photo, name, size)
    assert patch.dtype == np.uint8
    assert (patch == expected).all()


@pytest.mark.parametrize("name", SCALES)
@settings(max_examples=30)
@given(size=st.integers(8, 60), more=st.integers(0, 9))
def test_resized_patches_do_not_depend_on_pixels_beyond_the_edges(name, size, more):
    side = source_size(size, name) + more
    photo = noise(side, side)
    period = SCALES[name].inputs * 8
    framed = np.pad(photo, ((period, period), (period, period), (0, 0)), constant_values=255)
    corner = (SCALES[name].resized(side) - size) // 2
    shift = SCALES[name].resized(period)
    assert corner >= RESIZE_BORDER
    expected = cut_patch(framed, name, size, (corner + shift, corner + shift))
    assert (cut_test_patch(photo, name, size) == expected).all()


@pytest.mark.parametrize("name", NAMES)
def test_training_patches_have_the_phase_of_the_test_patch(name):
    """On a photo that repeats every 8 pixels, all patches with the phase of the test patch are equal to it."""
    photo = np.tile(noise(8, 8), (40, 45, 1))[:313, :357]
    expected = cut_test_patch(photo, name, 64)
    rng = np.random.default_rng(0)
    for _ in range(30):
        assert (cut_training_patch(photo, name, 64, rng) == expected).all()


def test_training_patches_come_from_all_positions_of_that_phase():
    rows, columns = np.mgrid[:301, :403].astype(np.uint8)
    photo = np.stack([rows, columns, rows], axis=2)
    rng = np.random.default_rng(0)
    seen = {tuple(cut_training_patch(photo, "unaltered", 64, rng)[0, 0, :2].tolist()) for _ in range(3000)}
    assert len({top for top, _ in seen}) == len(range(118 % 8, 301 - 64 + 1, 8))
    assert len({left for _, left in seen}) == min(256 // 8, len(range(169 % 8, 403 - 64 + 1, 8)))


def test_source_size_of_a_512_pixel_patch():
    needed = {name: source_size(512, name) for name in ("unaltered", "jpeg70", "gamma0.8", *SCALES)}
    assert needed == {
        "unaltered": 512,
        "jpeg70": 512,
        "gamma0.8": 512,
        "resize0.5": 1036,
        "resize0.8": 648,
        "resize1.5": 346,
        "resize2.0": 259,
    }


@pytest.mark.parametrize("name", NAMES)
def test_photo_that_is_too_small_is_rejected_and_never_padded(name):
    side = source_size(40, name)
    assert fits(side, side, name, 40)
    assert not fits(side - 1, side, name, 40)
    cut_test_patch(noise(side, side), name, 40)
    with pytest.raises(InputError, match=f"too small for a patch of 40 px under {name}: expected at least {side} px"):
        cut_test_patch(noise(side, side - 1), name, 40)
    with pytest.raises(InputError, match="too small"):
        cut_training_patch(noise(side - 1, side), name, 40, np.random.default_rng(0))


def test_unknown_manipulation_is_rejected():
    with pytest.raises(InputError, match=r"unknown manipulation 'blur'; known: unaltered, jpeg70"):
        manipulate(noise(8, 8), "blur")


@pytest.mark.parametrize("shape, dtype", [((8, 8), np.uint8), ((8, 8, 3), np.uint16), ((8, 8, 4), np.uint8)])
def test_array_that_is_not_a_uint8_rgb_image_is_rejected(shape, dtype):
    with pytest.raises(InputError, match=r"expected a uint8 RGB array .*, received uint"):
        manipulate(np.zeros(shape, dtype), "jpeg70")


def test_patch_outside_the_photo_is_rejected():
    with pytest.raises(InputError, match=r"does not lie inside .* corner from \(0, 0\) to \(24, 24\)"):
        cut_patch(noise(64, 64), "unaltered", 40, (30, 0))
