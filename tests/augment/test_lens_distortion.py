"""Points move where the formula says, and pixels with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment.lens_distortion import COEFFICIENTS, CORNERS, corner_patch, distorted, undistorted
from competition.utils.errors import InputError

HEIGHT, WIDTH, SIZE = 240, 320, 40
UNIT = 200.0  # half the diagonal of 240x320


def photograph() -> np.ndarray:
    """Red tells the column and green the row, so that a pixel tells where it comes from."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = np.arange(WIDTH) // 2, np.arange(HEIGHT)[:, None]
    return pixels


def test_points_move_where_the_formula_says():
    np.testing.assert_allclose(distorted([[0.6, 0.8], [0.3, 0.4], [0, 0]], -0.2), [[0.48, 0.64], [0.285, 0.38], [0, 0]])
    np.testing.assert_allclose(distorted([0.3, -0.4], 0.1), [0.3075, -0.41])


@given(st.floats(-0.3, 0.3), st.floats(0, 1), st.floats(0, 2 * np.pi))
def test_the_inverse_gives_the_points_back(k1, radius, angle):
    point = radius * np.array([np.cos(angle), np.sin(angle)])
    np.testing.assert_allclose(undistorted(distorted(point, k1), k1), point, atol=1e-9)


@pytest.mark.parametrize("corner, top, left", [(0, 24, 32), (1, 24, 248), (2, 176, 32), (3, 176, 248)])
def test_without_distortion_nothing_changes(corner, top, left):
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    patch = corner_patch(pixels, 0.0, SIZE, corner)
    np.testing.assert_array_equal(patch, pixels[top : top + SIZE, left : left + SIZE])


@pytest.mark.parametrize("corner, top, left", [(0, 24, 32), (3, 176, 248)])
@pytest.mark.parametrize("k1", COEFFICIENTS)
def test_a_pixel_comes_from_where_the_formula_says(k1, corner, top, left):
    patch = corner_patch(photograph(), k1, SIZE, corner).astype(float)
    for row, column in ((0, 0), (7, 31), (SIZE - 1, SIZE - 1)):
        source = np.array([2 * patch[row, column, 0] - (WIDTH - 1) / 2, patch[row, column, 1] - (HEIGHT - 1) / 2])
        seen = np.array([left + column - (WIDTH - 1) / 2, top + row - (HEIGHT - 1) / 2])
        np.testing.assert_allclose(distorted(source / UNIT, k1) * UNIT, seen, atol=2.5)


def test_no_coefficient_shows_a_frame():
    for k1 in COEFFICIENTS:
        for corner in range(CORNERS):
            white = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
            white[[0, -1]], white[:, [0, -1]] = 201, 201  # interpolation beyond the edge would show more than this
            assert (
                200 <= corner_patch(white, k1, SIZE, corner).min() <= corner_patch(white, k1, SIZE, corner).max() <= 201
            )


def test_a_photograph_too_small_is_refused():
    with pytest.raises(InputError, match="a side of 40 pixels holds no patch of 40"):
        corner_patch(np.zeros((40, 80, 3), np.uint8), 0.1, 40, 0)
