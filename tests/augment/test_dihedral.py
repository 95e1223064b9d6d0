"""The eight transforms are the dihedral group of the square."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment.dihedral import N_TRANSFORMS, dihedral_copy, dihedral_inverse, dihedral_transform, dihedral_views
from competition.utils.errors import InputError

IMAGE = np.arange(5 * 5 * 3).reshape(5, 5, 3)


@given(st.integers(0, N_TRANSFORMS - 1), st.integers(1, 6), st.integers(1, 6), st.sampled_from([(), (2,), (2, 3)]))
def test_inverse_undoes_the_transform_from_both_sides(element, height, width, batch):
    image = np.arange(np.prod(batch, dtype=int) * height * width * 3).reshape(*batch, height, width, 3)
    np.testing.assert_array_equal(dihedral_inverse(dihedral_transform(image, element), element), image)
    transposed = image.swapaxes(-2, -3)
    np.testing.assert_array_equal(dihedral_transform(dihedral_inverse(transposed, element), element), transposed)


def test_element_0_is_the_identity_and_all_elements_differ():
    assert (dihedral_transform(IMAGE, 0) == IMAGE).all()
    assert len({dihedral_transform(IMAGE, element).tobytes() for element in range(N_TRANSFORMS)}) == N_TRANSFORMS


def test_element_1_rotates_counterclockwise_and_element_4_mirrors():
    assert (dihedral_transform(IMAGE, 1)[0] == IMAGE[:, -1]).all()
    assert (dihedral_transform(IMAGE, 4) == IMAGE[:, ::-1]).all()


def test_transforms_are_closed_under_composition():
    transformed = {dihedral_transform(IMAGE, element).tobytes() for element in range(N_TRANSFORMS)}
    for first in range(N_TRANSFORMS):
        image = dihedral_transform(IMAGE, first)
        assert {dihedral_transform(image, second).tobytes() for second in range(N_TRANSFORMS)} == transformed


def test_views_follow_each_other_view_by_view():
    patches = np.stack([IMAGE, IMAGE + 1]).astype(np.uint8)
    expected = np.concatenate([dihedral_transform(patches, view) for view in range(N_TRANSFORMS)])
    np.testing.assert_array_equal(dihedral_views(patches, N_TRANSFORMS), expected)
    with pytest.raises(InputError, match="unknown dihedral transform 8"):
        dihedral_views(patches, N_TRANSFORMS + 1)


def test_batch_is_transformed_image_by_image():
    batch = np.stack([IMAGE, IMAGE + 1])
    for element in range(N_TRANSFORMS):
        expected = np.stack([dihedral_transform(image, element) for image in batch])
        assert (dihedral_transform(batch, element) == expected).all()


@given(st.integers(0, N_TRANSFORMS - 1), st.integers(1, 9), st.integers(1, 9))
def test_copy_equals_the_transform_in_memory_of_its_own(element, height, width):
    image = np.random.default_rng(0).integers(0, 256, (2 * height, width, 3), np.uint8)[::2]
    copy = dihedral_copy(image, element)
    np.testing.assert_array_equal(copy, dihedral_transform(image, element))
    assert copy.flags.c_contiguous and not np.shares_memory(copy, image)


@pytest.mark.parametrize("function", [dihedral_transform, dihedral_copy, dihedral_inverse])
@pytest.mark.parametrize("element", [-1, 8])
def test_unknown_element_is_rejected(function, element):
    with pytest.raises(InputError, match=f"unknown dihedral transform {element}; known: 0, 1"):
        function(IMAGE, element)
