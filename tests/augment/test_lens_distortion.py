"""Points move according to the formula, and pixels move with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment.lens_distortion import COEFFICIENTS, CORNERS, distort_points, distorted_patch, undistort_points
from competition.utils.errors import InputError

HEIGHT, WIDTH, SIZE = 240, 320, 40
UNIT = 200.0  # half the diagonal of 240x320


def coordinate_photo() -> np.ndarray:
    """A photo whose red encodes the column and whose green encodes the row."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = np.arange(WIDTH) // 2, np.arange(HEIGHT)[:, None]
    return pixels


def test_points_move_according_to_the_formula():
    points, moved = [[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]], [[0.48, 0.64], [0.285, 0.38], [0.0, 0.0]]
    np.testing.assert_allclose(distort_points(points, -0.2), moved)
    np.testing.assert_allclose(distort_points([0.3, -0.4], 0.1), [0.3075, -0.41])


@given(st.floats(-0.3, 0.3), st.floats(0, 1), st.floats(0, 2 * np.pi))
def test_undistort_points_inverts_distort_points(k1, radius, angle):
    point = radius * np.array([np.cos(angle), np.sin(angle)])
    np.testing.assert_allclose(undistort_points(distort_points(point, k1), k1), point, atol=1e-9)


@pytest.mark.parametrize("corner, top, left", [(0, 24, 32), (1, 24, 248), (2, 176, 32), (3, 176, 248)])
def test_coefficient_0_copies_the_pixels(corner, top, left):
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    patch = distorted_patch(pixels, 0.0, SIZE, corner)
    np.testing.assert_array_equal(patch, pixels[top : top + SIZE, left : left + SIZE])


@pytest.mark.parametrize("corner, top, left", [(0, 24, 32), (3, 176, 248)])
@pytest.mark.parametrize("k1", COEFFICIENTS)
def test_pixels_come_from_the_position_of_the_formula(k1, corner, top, left):
    patch = distorted_patch(coordinate_photo(), k1, SIZE, corner).astype(float)
    for row, column in ((0, 0), (7, 31), (SIZE - 1, SIZE - 1)):
        source = np.array([2 * patch[row, column, 0] - (WIDTH - 1) / 2, patch[row, column, 1] - (HEIGHT - 1) / 2])
        position = np.array([left + column - (WIDTH - 1) / 2, top + row - (HEIGHT - 1) / 2])
        np.testing.assert_allclose(distort_points(source / UNIT, k1) * UNIT, position, atol=2.5)


@pytest.mark.parametrize("corner", range(CORNERS))
@pytest.mark.parametrize("k1", COEFFICIENTS)
def test_no_patch_reaches_beyond_the_edge_of_the_photo(k1, corner):
    photo = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    photo[[0, -1]], photo[:, [0, -1]] = 201, 201  # extrapolation beyond the edge would exceed these values
    patch = distorted_patch(photo, k1, SIZE, corner)
    assert 200 <= patch.min() <= patch.max() <= 201


def test_photo_that_is_too_small_is_rejected():
    with pytest.raises(InputError, match=r"expected a side with at least 40 px .*, received 32 of 40 px"):
        distorted_patch(np.zeros((40, 80, 3), np.uint8), 0.1, 40, 0)
