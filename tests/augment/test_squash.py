"""The whole photograph in a square: nothing is lost but resolution, nothing moves by half a pixel."""

import numpy as np
import pytest

from augment.squash import rotate, squash


def pixels(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("height", "width"), [(96, 64), (64, 96), (40, 40), (20, 300), (7, 9), (1, 1)])
@pytest.mark.parametrize("padding", [0, 5])
def test_any_photograph_becomes_a_square_inside_its_zeros(height, width, padding):
    square = squash(np.maximum(pixels(height, width), 1), 40, padding)
    assert square.shape == (40, 40, 3)
    assert square.dtype == np.uint8
    inside = np.zeros((40, 40), bool)
    inside[padding : 40 - padding, padding : 40 - padding] = True
    assert (square[~inside] == 0).all()
    assert (square[inside] > 0).all()


def test_a_photograph_of_that_size_stays_as_it_is():
    photo = pixels(30, 30)
    np.testing.assert_array_equal(squash(photo, 30), photo)
    np.testing.assert_array_equal(squash(photo, 36, padding=3)[3:-3, 3:-3], photo)


@pytest.mark.parametrize(("height", "width"), [(60, 80), (75, 45), (97, 131)])
def test_every_pixel_is_the_mean_of_what_it_covers(height, width):
    """Against the integral of the photograph: areas may cut through pixels."""
    photo = pixels(height, width)
    covered = photo.astype(float)
    for axis, side in ((0, height), (1, width)):
        total = np.concatenate([np.zeros_like(covered.take([0], axis)), covered.cumsum(axis)], axis)
        at = np.arange(16) * side / 15
        low = np.minimum(at.astype(int), side - 1)
        shape = [-1 if a == axis else 1 for a in range(3)]
        part = (at - low).reshape(shape)
        integral = total.take(low, axis) * (1 - part) + total.take(low + 1, axis) * part
        covered = np.diff(integral, axis=axis) * 15 / side
    assert np.abs(squash(photo, 15).astype(float) - covered).max() <= 1
    assert squash(photo, 15).mean() == pytest.approx(photo.mean(), abs=0.5)


@pytest.mark.parametrize("phase", range(4))
def test_a_side_that_shrinks_is_averaged_also_where_the_other_grows(phase):
    stripes = np.zeros((20, 160, 3), np.uint8)
    stripes[:, phase::4] = 200
    for photo in (stripes, stripes.transpose(1, 0, 2)):
        np.testing.assert_array_equal(squash(photo, 40), np.full((40, 40, 3), 50))


@pytest.mark.parametrize("side", [32, 33])
@pytest.mark.parametrize(("degrees", "quarters"), [(0, 0), (90, 1), (180, 2), (270, 3), (360, 0), (-90, 3)])
def test_quarter_turns_are_exact(side, degrees, quarters):
    """A middle that is wrong by half a pixel would mix neighbours and lose a border."""
    image = pixels(side, side)
    turned = rotate(image, degrees)
    assert turned.dtype == np.uint8
    np.testing.assert_array_equal(turned, np.rot90(image, quarters))


@pytest.mark.parametrize("degrees", [-120.0, -45.0, 17.5, 120.0])
def test_other_turns_stay_in_the_square_and_can_be_undone(degrees):
    y, x = np.mgrid[:65, :65] - 32
    disc = np.hypot(x, y) <= 20
    smooth = (100 + 50 * np.sin(x / 7) + 50 * np.cos(y / 9))[..., None].repeat(3, axis=2).astype(np.uint8)
    turned = rotate(smooth, degrees)
    assert turned.shape == smooth.shape
    back = rotate(turned, -degrees).astype(int)
    assert np.abs(back - smooth)[disc].max() <= 4
    assert np.abs(turned.astype(int) - smooth)[disc].max() > 20


def test_what_comes_from_outside_is_black():
    turned = rotate(np.full((40, 40, 3), 200, np.uint8), 45)
    assert (turned[[0, 0, -1, -1], [0, -1, 0, -1]] == 0).all()
    assert (turned[20, 20] == 200).all()
