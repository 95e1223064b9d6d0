"""Every crop shares the phase of the center crop and lies inside."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment.crops import center_offset, phase_positions, random_corner
from competition.utils.errors import InputError


def test_samsungs_photographs_have_an_odd_offset():
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
def test_positions_are_all_those_of_the_centres_phase(size, spare, step, border):
    side = size + spare + 2 * border
    positions = phase_positions(side, size, step, border)
    center = (side - size) // 2
    expected = [p for p in range(border, side - size - border + 1) if (p - center) % step == 0]
    assert list(positions) == expected
    assert center in positions


def test_a_photograph_smaller_than_the_patch_is_refused():
    with pytest.raises(InputError, match="95 px is shorter than a patch of 96 px"):
        center_offset(95, 96)
    with pytest.raises(InputError, match="3 px away from the edges"):
        phase_positions(101, 96, border=3)
    with pytest.raises(InputError):
        random_corner(200, 95, 96, np.random.default_rng(0))
