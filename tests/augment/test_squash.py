"""Squashing averages areas exactly, and rotation is centered on the pixel grid."""

import numpy as np
import pytest

from augment.squash import rotate, squash


def pixels(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("height", "width"), [(96, 64), (64, 96), (40, 40), (20, 300), (7, 9), (1, 1)])
@pytest.mark.parametrize("padding", [0, 5])
def test_any_photo_becomes_a_square_with_a_border_of_zeros(height, width, padding):
    square = squash(np.maximum(pixels(height, width), 1), 40, padding)
    assert square.shape == (40, 40, 3)
    assert square.dtype == np.uint8
    inside = np.zeros((40, 40), bool)
    inside[padding : 40 - padding, padding : 40 - padding] = True
    assert (square[~inside] == 0).all()
    assert (square[inside] > 0).all()


def test_photo_of_the_target_size_is_unchanged():
    photo = pixels(30, 30)
    np.testing.assert_array_equal(squash(photo, 30), photo)
    np.testing.assert_array_equal(squash(photo, 36, padding=3)[3:-3, 3:-3], photo)


@pytest.mark.parametrize(("height", "width"), [(60, 80), (75, 45), (97, 131)])
def test_every_pixel_is_the_mean_of_the_area_that_it_covers(height, width):
    """The reference integrates the photo exactly, also where areas cut through pixels."""
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
def test_shrinking_side_is_averaged_although_the_other_side_grows(phase):
    stripes = np.zeros((20, 160, 3), np.uint8)
    stripes[:, phase::4] = 200
    for photo in (stripes, stripes.transpose(1, 0, 2)):
        np.testing.assert_array_equal(squash(photo, 40), np.full((40, 40, 3), 50))


@pytest.mark.parametrize("side", [32, 33])
@pytest.mark.parametrize(("degrees", "quarters"), [(0, 0), (90, 1), (180, 2), (270, 3), (360, 0), (-90, 3)])
def test_rotations_by_multiples_of_90_degrees_are_exact(side, degrees, quarters):
    """A center that is wrong by half a pixel would mix neighboring pixels and lose a border."""
    image = pixels(side, side)
    rotated = rotate(image, degrees)
    assert rotated.dtype == np.uint8
    np.testing.assert_array_equal(rotated, np.rot90(image, quarters))


@pytest.mark.parametrize("degrees", [-120.0, -45.0, 17.5, 120.0])
def test_rotation_by_any_angle_is_undone_by_the_opposite_angle(degrees):
    y, x = np.mgrid[:65, :65] - 32
    disc = np.hypot(x, y) <= 20
    smooth = (100 + 50 * np.sin(x / 7) + 50 * np.cos(y / 9))[..., None].repeat(3, axis=2).astype(np.uint8)
    rotated = rotate(smooth, degrees)
    assert rotated.shape == smooth.shape
    back = rotate(rotated, -degrees).astype(int)
    assert np.abs(back - smooth)[disc].max() <= 4
    assert np.abs(rotated.astype(int) - smooth)[disc].max() > 20


def test_pixels_from_outside_the_image_are_black():
    rotated = rotate(np.full((40, 40, 3), 200, np.uint8), 45)
    assert (rotated[[0, 0, -1, -1], [0, -1, 0, -1]] == 0).all()
    assert (rotated[20, 20] == 200).all()
