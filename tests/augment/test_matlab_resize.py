"""Resizing equals a literal float64 implementation of MATLAB's imresize, and crops equal the whole."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment.manipulations import SCALES
from augment.matlab_resize import RESIZE_BORDER, Scale, resized_crop

ALL_SCALES = pytest.mark.parametrize("scale", SCALES.values(), ids=SCALES)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def resize(image, scale):
    height, width = (scale.resized(side) for side in image.shape[:2])
    return resized_crop(image, scale, 0, 0, height, width)


def keys_cubic(x):
    x = np.abs(x)
    inner = 1.5 * x**3 - 2.5 * x**2 + 1
    outer = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, inner, np.where(x <= 2, outer, 0))


def imresize_rows(image, factor):
    """One pass of MATLAB's imresize along axis 0, after `contributions` in imresize.m, in float64."""
    side = image.shape[0]
    stretch = min(factor, 1.0)
    kernel_width = 4 / stretch
    x = np.arange(1, math.ceil(factor * side) + 1)
    u = x / factor + 0.5 * (1 - 1 / factor)
    left = np.floor(u - kernel_width / 2)
    indices = left[:, None] + np.arange(math.ceil(kernel_width) + 2)
    weights = stretch * keys_cubic(stretch * (u[:, None] - indices))
    weights /= weights.sum(1, keepdims=True)
    mirror = np.concatenate([np.arange(side), np.arange(side)[::-1]])
    taps = mirror[np.mod(indices.astype(int) - 1, 2 * side)]
    out = np.einsum("ot,otwc->owc", weights, image[taps].astype(float))
    return np.clip(np.floor(out + 0.5), 0, 255).astype(np.uint8)


def imresize(image, scale):
    factor = scale.outputs / scale.inputs
    vertical = imresize_rows(image, factor)
    return imresize_rows(vertical.transpose(1, 0, 2), factor).transpose(1, 0, 2)


def levels_apart(a, b):
    assert a.shape == b.shape
    return np.abs(a.astype(int) - b).max()


@ALL_SCALES
@settings(max_examples=40)
@given(height=st.integers(1, 70), width=st.integers(1, 70), seed=st.integers(0, 99))
def test_each_pass_equals_matlab_within_one_level_including_borders(scale, height, width, seed):
    """An image that is constant along an axis passes through that axis's pass unchanged."""
    image = noise(height, width, seed)
    rows = np.repeat(image[:, :1], width, axis=1)
    assert levels_apart(resize(rows, scale), imresize(rows, scale)) <= 1
    columns = np.repeat(image[:1], height, axis=0)
    assert levels_apart(resize(columns, scale), imresize(columns, scale)) <= 1


@ALL_SCALES
@pytest.mark.parametrize("shape", [(301, 203), (64, 65), (7, 130), (1, 9)])
def test_both_passes_equal_matlab_within_one_level_including_borders(scale, shape):
    """At 1.5 one value in 600 is an exact half, which float64 may round either way."""
    image = noise(*shape)
    expected = imresize(image, scale)
    assert levels_apart(resize(image, scale), expected) <= 1
    assert (resize(image, scale) != expected).mean() < 0.005


@ALL_SCALES
def test_constant_image_stays_constant_and_sides_are_rounded_up(scale):
    resized = resize(np.full((33, 47, 3), (10, 200, 255), np.uint8), scale)
    factor = scale.outputs / scale.inputs
    assert resized.shape == (math.ceil(factor * 33), math.ceil(factor * 47), 3)
    assert (resized == (10, 200, 255)).all()


@ALL_SCALES
def test_crops_equal_the_whole_bit_for_bit(scale):
    photo = noise(1037, 1501)
    resized = resize(photo, scale)
    rng = np.random.default_rng(1)
    corners = np.stack([rng.integers(0, side - 63, 60) for side in resized.shape[:2]], axis=1)
    for top, left in corners.tolist():
        assert (resized_crop(photo, scale, top, left, 64, 64) == resized[top : top + 64, left : left + 64]).all()


@ALL_SCALES
def test_only_the_border_depends_on_what_lies_beyond_the_edges(scale):
    photo = noise(80, 80)
    period = 8 * scale.inputs
    framed = np.pad(photo, ((period, period), (period, period), (0, 0)), constant_values=255)
    side, shift = scale.resized(80), scale.resized(period)
    inside = resized_crop(framed, scale, shift, shift, side, side)
    b = RESIZE_BORDER
    assert (resize(photo, scale)[b:-b, b:-b] == inside[b:-b, b:-b]).all()
    assert (resize(photo, scale) != inside).any()


@pytest.mark.parametrize(
    "scale, step", [(Scale(1, 2), 4), (Scale(4, 5), 32), (Scale(3, 2), 12), (Scale(2, 1), 16), (Scale(1, 1), 8)]
)
def test_phase_step_is_the_smallest_shift_by_whole_jpeg_blocks(scale, step):
    assert scale.phase_step == step
    shifts = [s for s in range(1, 100) if s * scale.inputs % (8 * scale.outputs) == 0]
    assert step == shifts[0]
