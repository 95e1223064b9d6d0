import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment.crops import center_offset
from augment.photo_patches import choose_patches, informative_blocks
from competition.utils.errors import InputError


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(40, 200, (height, width, 3), dtype=np.uint8)


def test_flat_and_saturated_blocks_are_not_informative():
    pixels = noise(8, 32)
    pixels[:, 8:16] = 120
    pixels[:, 16:24] = np.where(noise(8, 8) > 120, 255, 254)
    assert informative_blocks(pixels).tolist() == [[True, False, False, True]]


@given(st.integers(64, 300), st.integers(64, 300), st.integers(1, 12))
def test_patches_fit_have_the_phase_of_the_center_and_do_not_overlap(height, width, count):
    patches = choose_patches(noise(height, width), 64, count)
    assert 1 <= len(patches) <= count
    taken = np.zeros((height, width), int)
    for patch in patches:
        assert (patch.top - center_offset(height, 64)) % 8 == (patch.left - center_offset(width, 64)) % 8 == 0
        assert 0 <= patch.top <= height - 64 and 0 <= patch.left <= width - 64
        taken[patch.top : patch.top + 64, patch.left : patch.left + 64] += 1
    assert taken.max() == 1


def test_without_differences_the_center_comes_first():
    (patch,) = choose_patches(noise(400, 500), 64, 1)
    assert (patch.top, patch.left) == (center_offset(400, 64), center_offset(500, 64))


def test_patches_with_detail_come_before_the_sky():
    pixels = noise(320, 320)
    pixels[:192] = 230  # the sky, which reaches below the center
    patches = choose_patches(pixels, 64, 25)
    evidence = [patch.evidence for patch in patches]
    assert evidence == sorted(evidence, reverse=True)
    assert patches[0].top >= 192 and evidence[0] == 1 and evidence[-1] == 0


def test_a_photo_smaller_than_a_patch_is_an_error():
    with pytest.raises(InputError, match="expected a side of at least 64 px"):
        choose_patches(noise(63, 100), 64, 1)
