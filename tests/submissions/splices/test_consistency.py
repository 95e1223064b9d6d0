"""The consistency map equals the mean over pairs of patches; grids fit every photo of at least one patch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from competition.utils.errors import InputError
from submissions.splices.consistency import (
    MAX_PATCH_CELLS,
    consistency_map,
    detection_score,
    make_grid,
    upsample,
)

sides = st.integers(1, 5)


def unit_embeddings(rows: int, columns: int, width: int, seed: int = 0) -> np.ndarray:
    """Random embeddings of unit norm, float32 (rows, columns, width)."""
    embeddings = np.random.default_rng(seed).standard_normal((rows, columns, width))
    return (embeddings / np.linalg.norm(embeddings, axis=-1, keepdims=True)).astype(np.float32)


def pairwise_map(embeddings: np.ndarray, patch_cells: int) -> np.ndarray:
    """The mean of 1 − cosine over all pairs of patches, for all pairs of cells that they cover, by a loop."""
    rows, columns, _ = embeddings.shape
    total = np.zeros((rows + patch_cells - 1, columns + patch_cells - 1) * 2)
    count = np.zeros_like(total)
    for one in np.ndindex(rows, columns):
        for other in np.ndindex(rows, columns):
            difference = 1 - float(embeddings[one] @ embeddings[other])
            for r, c, s, d in np.ndindex((patch_cells,) * 4):
                cells = one[0] + r, one[1] + c, other[0] + s, other[1] + d
                total[cells] += difference
                count[cells] += 1
    return total / count


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 8), st.integers(1, 3), st.integers(0, 99))
def test_map_equals_loop_over_pairs_of_patches(rows, columns, width, patch_cells, seed):
    embeddings = unit_embeddings(rows, columns, width, seed)
    result = consistency_map(embeddings, patch_cells)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, pairwise_map(embeddings, patch_cells), atol=1e-4)


@given(sides, sides, st.integers(1, 8), st.integers(1, 6), st.integers(0, 99))
def test_map_is_symmetric_and_follows_dihedral_transforms(rows, columns, width, patch_cells, seed):
    embeddings = unit_embeddings(rows, columns, width, seed)
    result = consistency_map(embeddings, patch_cells)
    assert result.shape == (rows + patch_cells - 1, columns + patch_cells - 1) * 2
    assert result.min() > -1e-5 and result.max() < 2 + 1e-5
    np.testing.assert_allclose(result, result.transpose(2, 3, 0, 1), atol=1e-6)
    np.testing.assert_allclose(consistency_map(embeddings[::-1], patch_cells), result[::-1, :, ::-1], atol=1e-5)
    transposed = consistency_map(embeddings.transpose(1, 0, 2), patch_cells)
    np.testing.assert_allclose(transposed, result.transpose(1, 0, 3, 2), atol=1e-5)


def test_equal_patches_are_0_and_opposite_patches_2_apart():
    same = np.broadcast_to(unit_embeddings(1, 1, 16), (3, 4, 16))
    np.testing.assert_allclose(consistency_map(same, 2), 0, atol=1e-6)
    opposite = np.concatenate([unit_embeddings(1, 1, 16), -unit_embeddings(1, 1, 16)])
    np.testing.assert_allclose(consistency_map(opposite, 1)[0, 0, 1, 0], 2, atol=1e-6)


@given(sides, sides, st.integers(1, 8), st.integers(1, 6), st.integers(0, 99))
def test_score_is_mean_of_map(rows, columns, width, patch_cells, seed):
    embeddings = unit_embeddings(rows, columns, width, seed)
    score = detection_score(embeddings, patch_cells)
    assert score == pytest.approx(float(consistency_map(embeddings, patch_cells).mean()), abs=1e-5)
    assert 0 <= score <= 1
    shuffled = np.random.default_rng(seed).permutation(embeddings.reshape(-1, 1, width))
    assert detection_score(embeddings) == pytest.approx(detection_score(shuffled), abs=1e-5)


def test_score_increases_with_area_of_splice():
    embeddings = np.tile(np.eye(2, dtype=np.float32)[0], (10, 10, 1))
    scores = []
    for rows in range(6):
        embeddings[:rows] = [0, 1]
        scores.append(detection_score(embeddings))
    assert scores[0] == 0 and scores[-1] == pytest.approx(0.5) and scores == sorted(set(scores))


@pytest.mark.parametrize(
    ("embeddings", "patch_cells"),
    [
        (unit_embeddings(2, 2, 3), 0),
        (unit_embeddings(2, 2, 3)[0], 1),
        (unit_embeddings(2, 2, 3)[:0], 1),
        (2 * unit_embeddings(2, 2, 3), 1),
        (unit_embeddings(2, 2, 3) * np.nan, 1),
    ],
)
def test_invalid_embeddings_raise(embeddings, patch_cells):
    for function in (consistency_map, detection_score):
        with pytest.raises(ValueError, match="expected embeddings"):
            function(embeddings, patch_cells)


@settings(max_examples=50)
@given(st.integers(1, 150), st.integers(0, 4000), st.integers(0, 4000), st.integers(1, 40))
def test_grid_lies_within_photo_and_fills_it(patch, more, wider, count):
    grid = make_grid(patch + more, patch + wider, patch, count)
    longer = max(len(grid.tops), len(grid.lefts))
    for starts, size in ((grid.tops, grid.height), (grid.lefts, grid.width)):
        assert starts[0] < 8 and starts[-1] + patch <= size
        assert (starts % 8 == (size - patch) // 2 % 8).all()  # the phase of training
        assert (np.abs(starts - starts[0] - grid.stride * np.arange(len(starts))) <= 4).all()
        assert size - (starts[-1] + patch) < grid.stride + 8
    assert grid.stride >= 8 and longer <= count and 1 <= grid.patch_cells <= MAX_PATCH_CELLS
    if grid.stride > max(8, -(-patch // MAX_PATCH_CELLS)):  # any smaller stride would give too many patches
        assert max(more, wider) // (grid.stride - 1) + 1 > count


@pytest.mark.parametrize(
    ("height", "width", "shape", "stride"),
    [
        (124, 124, (1, 1), 8),
        (125, 130, (1, 1), 8),
        (124, 154, (1, 3), 8),
        (256, 384, (15, 29), 9),
        (568, 757, (20, 29), 22),
        (480, 640, (20, 29), 18),
        (3000, 4000, (23, 30), 130),
    ],
)
def test_grid_shape_and_stride(height, width, shape, stride):
    grid = make_grid(height, width, 124)
    assert (len(grid.tops), len(grid.lefts)) == shape and grid.stride == stride


@pytest.mark.parametrize(("height", "width"), [(123, 400), (400, 123), (0, 0)])
def test_photo_smaller_than_a_patch_raises(height, width):
    with pytest.raises(InputError, match=rf"{width}x{height} pixels, less than a patch of 124"):
        make_grid(height, width, 124)


def test_count_or_patch_below_1_raises():
    for patch, count in ((0, 30), (8, 0)):
        with pytest.raises(InputError, match="expected count ≥ 1 and patch ≥ 1"):
            make_grid(100, 100, patch, count)


@given(st.integers(1, 40), st.integers(0, 120), st.integers(0, 120), st.integers(0, 99))
def test_upsampled_values_stay_within_range_of_cells(patch, more, wider, seed):
    grid = make_grid(patch + more, patch + wider, patch)
    cells = np.random.default_rng(seed).random(grid.cells, np.float32)
    pixels = upsample(cells, grid)
    assert pixels.shape == (grid.height, grid.width) and pixels.dtype == np.float32
    assert pixels.min() >= cells.min() - 1e-6 and pixels.max() <= cells.max() + 1e-6
    np.testing.assert_allclose(upsample(np.full_like(cells, 0.25), grid), 0.25, atol=1e-6)


@pytest.mark.parametrize(("height", "width", "patch"), [(200, 260, 32), (900, 700, 20)])
def test_upsampled_patch_is_centered_on_its_position(height, width, patch):
    grid = make_grid(height, width, patch)
    row, column = len(grid.tops) // 2, len(grid.lefts) // 3
    cells = np.zeros(grid.cells)
    cells[row : row + grid.patch_cells, column : column + grid.patch_cells] = 1
    pixels = upsample(cells, grid)
    center = [(pixels.sum(axis=1 - axis) @ np.arange(size)) / pixels.sum() for axis, size in enumerate(pixels.shape)]
    np.testing.assert_allclose(
        center, [grid.tops[row] + (patch - 1) / 2, grid.lefts[column] + (patch - 1) / 2], atol=4.1
    )


def test_map_of_another_grid_raises():
    with pytest.raises(ValueError, match="expected a map"):
        upsample(np.zeros((3, 3)), make_grid(100, 100, 32))
