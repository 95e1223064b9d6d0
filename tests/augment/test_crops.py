"""Crop positions have the phase of the center crop and lie inside the image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment.crops import center_offset, phase_positions, random_corner
from competition.utils.errors import InputError


def test_random_corners_keep_the_odd_offset_of_a_2322_pixel_side():
    """Samsung's photos of 4128x2322 pixels: the center is at row 905, which is 1 modulo 8."""
    assert center_offset(2322, 512) == 905
    assert center_offset(4128, 512) == 1808
    rng = np.random.default_rng(0)
    corners = np.array([random_corner(2322, 4128, 512, rng) for _ in range(200)])
    assert set(corners[:, 0] % 8) == {905 % 8}
    assert set(corners[:, 1] % 8) == {0}
    assert corners.min() >= 0
    assert (corners + 512 <= (2322, 4128)).all()
    assert len(np.unique(corners[:, 0])) > 50


@given(st.integers(1, 600), st.integers(0, 600), st.sampled_from([4, 8, 12, 16, 32]), st.integers(0, 3))
def test_phase_positions_are_all_positions_with_the_phase_of_the_center(size, spare, step, border):
    side = size + spare + 2 * border
    positions = phase_positions(side, size, step, border)
    center = (side - size) // 2
    expected = [p for p in range(border, side - size - border + 1) if (p - center) % step == 0]
    assert list(positions) == expected
    assert center in positions


def test_side_shorter_than_the_crop_is_rejected():
    with pytest.raises(InputError, match="at least 96 px for a patch of 96 px, received 95 px"):
        center_offset(95, 96)
    with pytest.raises(InputError, match="at least 102 px for a patch of 96 px with a border of 3 px, received 101 px"):
        phase_positions(101, 96, border=3)
    with pytest.raises(InputError, match="received 95 px"):
        random_corner(200, 95, 96, np.random.default_rng(0))
