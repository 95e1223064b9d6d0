"""The eight views are the dihedral group of the square."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment.dihedral import VIEWS, dihedral, dihedral_inverse
from competition.utils.errors import InputError

IMAGE = np.arange(5 * 5 * 3).reshape(5, 5, 3)


@given(st.integers(0, VIEWS - 1), st.integers(1, 6), st.integers(1, 6), st.sampled_from([(), (2,), (2, 3)]))
def test_turn_and_turn_back_changes_nothing(view, height, width, batch):
    image = np.arange(np.prod(batch, dtype=int) * height * width * 3).reshape(*batch, height, width, 3)
    assert (dihedral_inverse(dihedral(image, view), view) == image).all()
    assert (dihedral(dihedral_inverse(image.swapaxes(-2, -3), view), view) == image.swapaxes(-2, -3)).all()


def test_the_views_are_eight_different_ones_and_the_first_is_the_image():
    assert (dihedral(IMAGE, 0) == IMAGE).all()
    assert len({dihedral(IMAGE, view).tobytes() for view in range(VIEWS)}) == VIEWS


def test_two_turns_are_one_turn():
    views = {dihedral(IMAGE, view).tobytes() for view in range(VIEWS)}
    for first in range(VIEWS):
        composed = {dihedral(dihedral(IMAGE, first), second).tobytes() for second in range(VIEWS)}
        assert composed == views


def test_a_batch_is_turned_image_by_image():
    batch = np.stack([IMAGE, IMAGE + 1])
    for view in range(VIEWS):
        assert (dihedral(batch, view) == np.stack([dihedral(IMAGE, view), dihedral(IMAGE + 1, view)])).all()


def test_a_ninth_view_is_refused():
    for function in (dihedral, dihedral_inverse):
        with pytest.raises(InputError, match="unknown view 8; known: 0, 1"):
            function(IMAGE, 8)
