"""A patch is a function of its random numbers, in every thread, and keeps its size and the JPEG grid."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from augment.crops import center_offset
from augment.manipulations import jpeg
from augment.pipelines import augment_patch, photo_side, pipeline_names, read_pipeline
from competition.utils.errors import InputError

PHOTO = np.random.default_rng(0).integers(0, 256, (150, 203, 3), np.uint8)
SIZE = 32


def pipeline(*transforms, p=1.0):
    return json.dumps({"transform": {"__class_fullname__": "Compose", "p": p, "transforms": list(transforms)}})


def transform(name, **arguments):
    return {"__class_fullname__": name, "p": 1.0, **arguments}


def patches(text, seeds, photo=PHOTO):
    return [augment_patch(photo, text, SIZE, np.random.default_rng(seed)) for seed in seeds]


@pytest.mark.parametrize("name", pipeline_names())
def test_packaged_pipelines_depend_on_the_seed_alone_in_every_thread(name):
    text, seeds = read_pipeline(name), range(60)
    expected = patches(text, seeds)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda seed: patches(text, [seed])[0], reversed(seeds)))
    for first, second in zip(expected, reversed(found), strict=True):
        assert (first is None) == (second is None)
        assert first is None or (first == second).all()
    changed = [patch for patch in expected if patch is not None]
    assert 15 < len(changed) < 45  # half of the patches
    assert {(patch.shape, patch.dtype.name) for patch in changed} == {((SIZE, SIZE, 3), "uint8")}
    assert len({patch.tobytes() for patch in changed}) == len(changed)


def test_transforms_of_a_pipeline_have_different_random_numbers():
    flips = pipeline(*({**transform("HorizontalFlip"), "p": 0.5} for _ in range(2)))
    none_one_or_two = {
        None if patch is None else patch.tobytes() for patch in patches(flips, range(40), PHOTO[:72, :72])
    }
    assert None in none_one_or_two and len(none_one_or_two) > 1


def test_pipeline_that_changes_nothing_leaves_the_patch_to_others():
    assert patches(pipeline(transform("HorizontalFlip"), p=0.0), range(5)) == [None] * 5


def test_patch_keeps_the_phase_of_the_photo_if_pixels_keep_their_place():
    """A pixel of a ramp tells its own position."""
    rows, columns = np.indices((150, 203))
    ramp = np.stack([rows, columns, np.zeros_like(rows)], axis=-1).astype(np.uint8)
    text = pipeline(transform("InvertImg"))
    corners = {tuple((255 - patch[0, 0, :2].astype(int)) % 8) for patch in patches(text, range(40), ramp)}
    assert corners == {tuple(center_offset(side, SIZE) % 8 for side in ramp.shape[:2])}


def test_patch_is_aligned_to_the_grid_of_a_compression_at_the_end():
    """Compressing such a patch again with the same quality hardly changes it; a shifted one it does."""
    text = pipeline(
        transform("RandomScale", scale_limit=[-0.3, -0.3]),
        transform("augment.pipelines.transforms.Jpeg", quality_range=[50, 50]),
    )
    gray = np.repeat(90 + PHOTO[..., :1] // 4, 3, axis=2)  # neither clipped nor subsampled

    def change(image):
        return np.abs(jpeg(np.ascontiguousarray(image), 50).astype(int) - image).mean()

    for patch in patches(text, range(5), gray):
        assert change(patch) < 0.3 * change(patch[4:28, 4:28])


def test_small_photos_and_small_results_are_refused():
    text = pipeline(transform("InvertImg"))
    assert photo_side(SIZE) == 72
    assert patches(text, [0], PHOTO[:72, :72])[0].shape == (SIZE, SIZE, 3)
    with pytest.raises(InputError, match="expected at least 72 px"):
        patches(text, [0], PHOTO[:71])
    with pytest.raises(InputError, match="made 25x25 pixels of 64x64; expected at least 32"):
        patches(pipeline(transform("RandomScale", scale_limit=[-0.6, -0.6])), [0])
