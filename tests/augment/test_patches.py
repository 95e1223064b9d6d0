"""Patches and the order of an epoch are functions of (seed, epoch, index), with the intended distributions."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from augment.dihedral import N_TRANSFORMS, dihedral_transform
from augment.manipulations import NAMES, cut_test_patch, fits
from augment.patches import (
    PatchConfig,
    balanced_counts,
    class_weights,
    color_statistics,
    epoch_order,
    make_evaluation_patch,
    make_patch,
)
from augment.pipelines import read_pipeline
from augment.squash import rotate, squash
from augment.tiles import tile
from competition.manipulation import MANIPULATIONS
from competition.utils.errors import InputError

CONFIG = PatchConfig(size=16, batch_size=4, patches_per_photo=2, seed=3)
SQUASHED = PatchConfig(size=40, batch_size=4, seed=3, dihedral=False, input="squash", padding=4)
CELLS = np.repeat([4, 0, 26, 13], [1, 3, 12, 24])  # of unequal population, unsorted


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def cell_counts(draws, cells):
    """The number of draws of each occupied cell."""
    return np.array([draws[cells == cell].sum() for cell in np.unique(cells[cells >= 0])])


def test_patch_depends_on_seed_epoch_and_index_alone():
    pixels = noise(300, 400)
    places = [(seed, epoch, index) for seed in (3, 4) for epoch in range(3) for index in range(3)]

    def made(seed, epoch, index):
        return make_patch(pixels, replace(CONFIG, seed=seed), epoch, index)[0].tobytes()

    first = {place: made(*place) for place in places}
    assert {place: made(*place) for place in reversed(places)} == first
    assert len(set(first.values())) == len(places)


@pytest.mark.parametrize(("block", "sizes"), [(1, [1] * 7), (3, [3, 2, 2]), (7, [7]), (100, [7])])
def test_every_photo_occurs_equally_often_and_within_its_block(block, sizes):
    order = epoch_order(7, CONFIG, epoch=1, block=block).tolist()
    assert Counter(order) == dict.fromkeys(range(7), 2)
    start = 0
    for size in sizes:
        assert len(set(order[start : start + 2 * size])) == size
        start += 2 * size


@pytest.mark.parametrize("batch", [8, 16, 40])
def test_batch_mixes_as_many_photos_as_a_block_has(batch):
    order = epoch_order(100, replace(CONFIG, patches_per_photo=5), epoch=0, block=17)
    for start in range(0, len(order) - batch + 1):
        assert len(set(order[start : start + batch].tolist())) >= min(batch, 16)


def test_half_of_the_patches_are_manipulated_uniformly():
    """A constant photo shows which gamma was used; the flag covers the other manipulations."""
    pixels = np.full((64, 72, 3), 100, np.uint8)
    made = [make_patch(pixels, CONFIG, 0, index) for index in range(2000)]
    flags = np.array([flag for _, flag in made])
    assert abs(flags.mean() - 0.5) < 0.05
    levels = Counter(int(patch[0, 0, 0]) for patch, flag in made if flag)
    assert abs(levels[round(255 * (100 / 255) ** 0.8)] / flags.sum() - 1 / 8) < 0.04
    assert abs(levels[round(255 * (100 / 255) ** 1.2)] / flags.sum() - 1 / 8) < 0.04
    assert all((patch == 100).all() for patch, flag in made if not flag)


@pytest.mark.parametrize("name", MANIPULATIONS)
def test_manipulated_training_patch_equals_the_test_patch_on_a_periodic_photo(name):
    """On a photo with a period of 8 pixels, all patches of one phase are equal, wherever they are cut."""
    photo = np.tile(noise(8, 8), (20, 22, 1))[:157, :171]
    config = replace(CONFIG, dihedral=False, manipulated_share=1.0, manipulations=(name,))
    for index in range(10):
        patch, is_manipulated = make_patch(photo, config, 0, index)
        np.testing.assert_array_equal(patch, cut_test_patch(photo, name, 16))
        assert is_manipulated


@pytest.mark.parametrize("name", NAMES)
def test_evaluation_patch_is_the_test_patch(name):
    photo = noise(64, 72)
    np.testing.assert_array_equal(make_evaluation_patch(photo, CONFIG, name), cut_test_patch(photo, name, 16))


def test_altered_photo_is_only_cropped():
    config = replace(CONFIG, dihedral=False, manipulated_share=1.0)
    pixels = noise(16, 16)
    for index in range(8):
        patch, is_manipulated = make_patch(pixels, config, 0, index, altered=True)
        np.testing.assert_array_equal(patch, pixels)
        assert is_manipulated


def test_small_photo_gets_the_manipulations_that_fit():
    pixels = noise(16, 16)
    assert [name for name in MANIPULATIONS if fits(16, 16, name, 16)] == [
        "jpeg70", "jpeg90", "resize1.5", "resize2.0", "gamma0.8", "gamma1.2"
    ]  # fmt: skip
    for index in range(100):
        patch, _ = make_patch(pixels, CONFIG, 0, index)
        assert patch.shape == (16, 16, 3)


def test_photo_smaller_than_the_patch_is_rejected():
    with pytest.raises(InputError, match="too small for a patch of 16 px"):
        make_patch(noise(15, 72), CONFIG, 0, 0)
    with pytest.raises(InputError, match="too small for a patch of 16 px"):
        make_evaluation_patch(noise(15, 72), CONFIG)


@pytest.mark.parametrize("enabled", [True, False])
def test_dihedral_transforms_are_all_used_or_none(enabled):
    config = replace(CONFIG, dihedral=enabled)
    pixels = noise(16, 16)
    made = (make_patch(pixels, config, 0, index) for index in range(300))
    unaltered = {np.ascontiguousarray(patch).tobytes() for patch, manipulated in made if not manipulated}
    elements = range(N_TRANSFORMS) if enabled else range(1)
    assert unaltered == {np.ascontiguousarray(dihedral_transform(pixels, element)).tobytes() for element in elements}


def test_only_the_configured_manipulations_are_used(monkeypatch):
    drawn = []

    def cut(pixels, name, size, rng):
        drawn.append(name)
        return pixels

    monkeypatch.setattr("augment.patches.cut_training_patch", cut)
    config = replace(CONFIG, manipulated_share=0.5, manipulations=("jpeg70", "jpeg90"))
    flags = [make_patch(np.zeros((64, 72, 3), np.uint8), config, 0, index)[1] for index in range(40)]
    assert set(drawn) == {"unaltered", "jpeg70", "jpeg90"} and flags == [name != "unaltered" for name in drawn]


def test_squashed_patch_is_the_whole_photo_without_a_manipulation():
    photo = noise(10, 20)
    patch, is_manipulated = make_patch(photo, SQUASHED, 0, 0)
    np.testing.assert_array_equal(patch, squash(photo, 40, 4))
    assert not is_manipulated
    np.testing.assert_array_equal(make_evaluation_patch(photo, SQUASHED, "jpeg70"), patch)


def test_tiles_are_random_for_training_and_at_equal_distances_for_evaluation():
    photo = np.random.default_rng(1).integers(0, 256, (200, 230, 3), np.uint8)
    config = PatchConfig(size=64, batch_size=4, seed=3, dihedral=False, input="tiles")
    np.testing.assert_array_equal(make_evaluation_patch(photo, config, "jpeg70"), tile(photo, 64))
    first, again, other = (make_patch(photo, config, 0, index) for index in (0, 0, 1))
    assert first[1] is False
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])


def test_squashed_patches_are_rotated_by_uniform_angles(monkeypatch):
    angles = []

    def record(image, angle):
        angles.append(angle)
        return rotate(image, angle)

    monkeypatch.setattr("augment.patches.rotate", record)
    pixels = noise(16, 18)
    patches = [make_patch(pixels, replace(SQUASHED, rotation=120.0), 0, index)[0] for index in range(300)]
    assert kstest(angles, "uniform", args=(-120, 240)).pvalue > 0.01
    np.testing.assert_array_equal(patches[7], rotate(squash(pixels, 40, 4), angles[7]))


def test_balanced_counts_are_uniform_over_cells_and_within_cells():
    draws = balanced_counts(CELLS, 20_000, np.random.default_rng(0))
    assert draws.sum() == 20_000
    assert chisquare(cell_counts(draws, CELLS)).pvalue > 0.01
    for cell in (0, 26, 13):
        assert chisquare(draws[cell == CELLS]).pvalue > 0.01
    unbalanced = np.bincount(np.random.default_rng(0).integers(len(CELLS), size=20_000), minlength=len(CELLS))
    assert chisquare(cell_counts(unbalanced, CELLS)).pvalue < 1e-6  # the statistic detects unbalanced draws


def test_photos_without_a_cell_keep_their_share_of_the_draws():
    cells = np.concatenate([CELLS, np.full(10, -1)])
    draws = balanced_counts(cells, 20_000, np.random.default_rng(0))
    assert draws[cells < 0].sum() == pytest.approx(20_000 * 10 / 50, rel=0.05)
    assert chisquare(draws[cells < 0]).pvalue > 0.01
    assert chisquare(cell_counts(draws, cells)).pvalue > 0.01


def test_without_any_cell_all_photos_are_equally_likely():
    assert chisquare(balanced_counts(np.full(9, -1), 9000, np.random.default_rng(0))).pvalue > 0.01


@pytest.mark.parametrize("block", [3, 100])
def test_balanced_epoch_order_is_uniform_over_cells_and_reproducible(block):
    config = replace(CONFIG, patches_per_photo=50)
    order = epoch_order(len(CELLS), config, 1, block, CELLS)
    assert len(order) == 50 * len(CELLS)
    assert chisquare(np.unique(CELLS[order], return_counts=True)[1]).pvalue > 0.01
    assert (order == epoch_order(len(CELLS), config, 1, block, CELLS)).all()
    assert (order != epoch_order(len(CELLS), config, 2, block, CELLS)).any()


def test_class_weights_give_every_occurring_class_the_same_total():
    labels = np.array([0, 0, 0, 0, 1, 3, -1], np.int32)
    weights = class_weights(labels, 5)
    assert (weights.dtype, weights.shape) == (np.float32, (5,))
    of_known = weights[labels[labels >= 0]]
    totals = np.bincount(labels[labels >= 0], weights=of_known, minlength=5)
    np.testing.assert_allclose(totals, [2, 2, 0, 2, 0], rtol=1e-6)
    assert of_known.mean() == pytest.approx(1)


def test_color_statistics_are_the_means_and_standard_deviations_of_all_pixels():
    patches = [noise(8, 8), noise(4, 12) // 2]
    pixels = np.concatenate([patch.reshape(-1, 3) for patch in patches]).astype(float)
    mean, deviation = color_statistics(patches)
    np.testing.assert_allclose(mean, pixels.mean(axis=0))
    np.testing.assert_allclose(deviation, pixels.std(axis=0))


def test_color_statistics_of_a_constant_patch_have_a_standard_deviation_of_1():
    assert color_statistics([np.full((4, 4, 3), 7, np.uint8)]) == ((7, 7, 7), (1, 1, 1))


def test_pipeline_replaces_manipulations_of_the_patches_that_it_changes():
    config = replace(CONFIG, augment=read_pipeline("social-media"), dihedral=False, manipulated_share=0.0)
    pixels = noise(64, 72)
    made = [make_patch(pixels, config, 0, index) for index in range(200)]
    assert {patch.shape for patch, _ in made} == {(16, 16, 3)}
    assert 0.3 < np.mean([flag for _, flag in made]) < 0.7
    for index in (0, 7, 150):
        np.testing.assert_array_equal(make_patch(pixels, config, 0, index)[0], made[index][0])
    plain = {patch.tobytes() for patch, flag in made if not flag}
    assert plain <= {pixels[i : i + 16, j : j + 16].tobytes() for i in range(49) for j in range(57)}
    flags = [make_patch(pixels, replace(config, manipulated_share=1.0), 0, index)[1] for index in range(50)]
    assert all(flags)
    assert config.photo_side == 40 and CONFIG.photo_side == 16 and SQUASHED.photo_side == 1
