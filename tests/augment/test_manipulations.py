"""The manipulations against literal float64 references, and patches against the whole photograph."""

import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from augment.manipulations import (
    GAMMAS,
    MANIPULATED,
    NAMES,
    QUALITIES,
    SCALES,
    cut_patch,
    cut_test_patch,
    fits,
    manipulate,
    source_size,
    training_patch,
)
from augment.matlab_resize import RESIZE_BORDER
from competition.utils.errors import InputError


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def keys_cubic(x):
    x = np.abs(x)
    inner = 1.5 * x**3 - 2.5 * x**2 + 1
    outer = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, inner, np.where(x <= 2, outer, 0))


def imresize_rows(image, scale):
    """One pass of MATLAB's imresize along axis 0, after `contributions` in imresize.m, in float64."""
    side = image.shape[0]
    stretch = min(scale, 1.0)
    kernel_width = 4 / stretch
    x = np.arange(1, math.ceil(scale * side) + 1)
    u = x / scale + 0.5 * (1 - 1 / scale)
    left = np.floor(u - kernel_width / 2)
    indices = left[:, None] + np.arange(math.ceil(kernel_width) + 2)
    weights = stretch * keys_cubic(stretch * (u[:, None] - indices))
    weights /= weights.sum(1, keepdims=True)
    mirror = np.concatenate([np.arange(side), np.arange(side)[::-1]])
    taps = mirror[np.mod(indices.astype(int) - 1, 2 * side)]
    out = np.einsum("ot,otwc->owc", weights, image[taps].astype(float))
    return np.clip(np.floor(out + 0.5), 0, 255).astype(np.uint8)


def imresize(image, scale):
    vertical = imresize_rows(image, scale)
    return imresize_rows(vertical.transpose(1, 0, 2), scale).transpose(1, 0, 2)


def levels_apart(a, b):
    assert a.shape == b.shape
    return np.abs(a.astype(int) - b).max()


@pytest.mark.parametrize("name", SCALES)
@settings(max_examples=40, deadline=None)
@given(height=st.integers(1, 70), width=st.integers(1, 70), seed=st.integers(0, 99))
def test_each_pass_of_resize_is_matlabs_within_one_level_borders_included(name, height, width, seed):
    """An image that is constant along an axis passes through that axis's pass unchanged."""
    image, scale = noise(height, width, seed), float(name[6:])
    rows = np.repeat(image[:, :1], width, axis=1)
    assert levels_apart(manipulate(rows, name), imresize(rows, scale)) <= 1
    columns = np.repeat(image[:1], height, axis=0)
    assert levels_apart(manipulate(columns, name), imresize(columns, scale)) <= 1


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize("shape", [(301, 203), (64, 65), (7, 130), (1, 9)])
def test_resize_is_matlabs_within_one_level_borders_included(name, shape):
    """At 1.5 a value in 600 is an exact half, which float64 may round either way."""
    image = noise(*shape)
    expected = imresize(image, float(name[6:]))
    assert levels_apart(manipulate(image, name), expected) <= 1
    assert (manipulate(image, name) != expected).mean() < 0.005


@pytest.mark.parametrize("name", SCALES)
def test_a_flat_image_stays_flat_and_sides_are_rounded_up(name):
    image = np.full((33, 47, 3), (10, 200, 255), np.uint8)
    resized = manipulate(image, name)
    scale = float(name[6:])
    assert resized.shape == (math.ceil(scale * 33), math.ceil(scale * 47), 3)
    assert (resized == (10, 200, 255)).all()


def test_gamma_is_rounded_and_not_truncated():
    for name, changed in (("gamma0.8", 141), ("gamma1.2", 125)):
        exact = 255 * (np.arange(256) / 255) ** float(name[5:])
        assert (np.floor(exact) != GAMMAS[name]).sum() == changed
        assert np.abs(exact - GAMMAS[name]).max() <= 0.5
        ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
        assert (manipulate(ramp, name)[..., 1].ravel() == GAMMAS[name]).all()


@pytest.mark.parametrize("name", QUALITIES)
def test_jpeg_is_the_standard_one_bit_for_bit(name):
    for image in (noise(96, 96), np.asarray(Image.fromarray(noise(12, 9)).resize((90, 75)))):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=QUALITIES[name], subsampling="4:2:0")
        assert (manipulate(image, name) == np.asarray(Image.open(file))).all()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(size=st.integers(8, 40), more=st.tuples(st.integers(0, 50), st.integers(0, 50)), seed=st.integers(0, 9))
def test_a_test_patch_is_cut_from_the_manipulated_whole(name, size, more, seed):
    photo = noise(source_size(size, name) + more[0], source_size(size, name) + more[1], seed)
    whole = photo if name in QUALITIES else manipulate(photo, name)
    top, left = ((side - size) // 2 for side in whole.shape[:2])
    expected = whole[top : top + size, left : left + size]
    if name in QUALITIES:
        expected = manipulate(np.ascontiguousarray(expected), name)
    patch = cut_test_patch(photo, name, size)
    assert patch.dtype == np.uint8
    assert (patch == expected).all()


@pytest.mark.parametrize("name", SCALES)
def test_windows_of_a_large_photograph_equal_the_whole(name):
    photo = noise(1037, 1501)
    whole = manipulate(photo, name)
    rng = np.random.default_rng(1)
    corners = np.stack([rng.integers(0, side - 63, 60) for side in whole.shape[:2]], axis=1)
    for top, left in corners.tolist():
        assert (cut_patch(photo, name, 64, (top, left)) == whole[top : top + 64, left : left + 64]).all()


@pytest.mark.parametrize("name", SCALES)
@settings(max_examples=30, deadline=None)
@given(size=st.integers(8, 60), more=st.integers(0, 9))
def test_no_resize_border_lies_inside_a_patch(name, size, more):
    """What lies beyond the photograph's edges has no influence on a patch cut from its center."""
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
def test_training_patches_have_the_phase_of_the_test_set(name):
    """On a photograph that repeats every 8 pixels, all patches of the test set's phase are the same patch."""
    photo = np.tile(noise(8, 8), (40, 45, 1))[:313, :357]
    expected = cut_test_patch(photo, name, 64)
    rng = np.random.default_rng(0)
    for _ in range(30):
        assert (training_patch(photo, name, 64, rng) == expected).all()


def test_training_patches_come_from_everywhere():
    rows, columns = np.mgrid[:301, :403].astype(np.uint8)
    photo = np.stack([rows, columns, rows], axis=2)
    rng = np.random.default_rng(0)
    seen = {tuple(training_patch(photo, "unaltered", 64, rng)[0, 0, :2].tolist()) for _ in range(3000)}
    assert len({top for top, _ in seen}) == len(range(118 % 8, 301 - 64 + 1, 8))
    assert len({left for _, left in seen}) == min(256 // 8, len(range(169 % 8, 403 - 64 + 1, 8)))


def test_what_a_patch_of_512_needs():
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
def test_a_photograph_too_small_is_refused_and_never_padded(name):
    side = source_size(40, name)
    assert fits(side, side, name, 40)
    assert not fits(side - 1, side, name, 40)
    cut_test_patch(noise(side, side), name, 40)
    with pytest.raises(InputError, match=f"too small for a patch of 40 px under {name}"):
        cut_test_patch(noise(side, side - 1), name, 40)
    with pytest.raises(InputError, match="too small"):
        training_patch(noise(side - 1, side), name, 40, np.random.default_rng(0))


def test_bad_input_is_named():
    with pytest.raises(InputError, match=r"unknown manipulation 'blur'; known: unaltered, jpeg70"):
        manipulate(noise(8, 8), "blur")
    for bad in (np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.uint16), np.zeros((8, 8, 4), np.uint8)):
        with pytest.raises(InputError, match="expected a uint8 array"):
            manipulate(bad, "jpeg70")
    with pytest.raises(InputError, match="does not lie inside"):
        cut_patch(noise(64, 64), "unaltered", 40, (30, 0))


def test_the_names_are_the_nine_of_the_design():
    assert sorted(NAMES) == sorted(
        [
            "unaltered",
            "jpeg70",
            "jpeg90",
            "resize0.5",
            "resize0.8",
            "resize1.5",
            "resize2.0",
            "gamma0.8",
            "gamma1.2",
        ]
    )
    assert set(MANIPULATED) == set(NAMES) - {"unaltered"}
