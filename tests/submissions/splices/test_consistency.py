"""The consistency map is the pairwise vote in closed form; grids fit every photograph that holds a patch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from competition.utils.errors import InputError
from submissions.splices.consistency import FINEST, Grid, consistency_map, detection_score, grid_positions, upsample

sides = st.integers(1, 5)


def unit(rows: int, columns: int, width: int, seed: int = 0) -> np.ndarray:
    """Random embeddings of unit length, float32 (rows, columns, width)."""
    embeddings = np.random.default_rng(seed).standard_normal((rows, columns, width))
    return (embeddings / np.linalg.norm(embeddings, axis=-1, keepdims=True)).astype(np.float32)


def vote(embeddings: np.ndarray, spread: int) -> np.ndarray:
    """Every pair of patches votes for every pair of cells that the two cover; the votes' mean."""
    rows, columns, _ = embeddings.shape
    total = np.zeros((rows + spread - 1, columns + spread - 1) * 2)
    count = np.zeros_like(total)
    for one in np.ndindex(rows, columns):
        for other in np.ndindex(rows, columns):
            unlike = 1 - float(embeddings[one] @ embeddings[other])
            for r, c, s, d in np.ndindex((spread,) * 4):
                cells = one[0] + r, one[1] + c, other[0] + s, other[1] + d
                total[cells] += unlike
                count[cells] += 1
    return total / count


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 8), st.integers(1, 3), st.integers(0, 99))
def test_the_map_is_the_pairwise_vote(rows, columns, width, spread, seed):
    embeddings = unit(rows, columns, width, seed)
    made = consistency_map(embeddings, spread)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, vote(embeddings, spread), atol=1e-4)


@given(sides, sides, st.integers(1, 8), st.integers(1, 6), st.integers(0, 99))
def test_the_map_is_symmetric_and_turns_with_the_photograph(rows, columns, width, spread, seed):
    embeddings = unit(rows, columns, width, seed)
    made = consistency_map(embeddings, spread)
    assert made.shape == (rows + spread - 1, columns + spread - 1) * 2
    assert made.min() > -1e-5 and made.max() < 2 + 1e-5
    np.testing.assert_allclose(made, made.transpose(2, 3, 0, 1), atol=1e-6)
    np.testing.assert_allclose(consistency_map(embeddings[::-1], spread), made[::-1, :, ::-1], atol=1e-5)
    turned = consistency_map(embeddings.transpose(1, 0, 2), spread)
    np.testing.assert_allclose(turned, made.transpose(1, 0, 3, 2), atol=1e-5)


def test_equal_patches_are_consistent_and_opposite_ones_are_not():
    same = np.broadcast_to(unit(1, 1, 16), (3, 4, 16))
    np.testing.assert_allclose(consistency_map(same, 2), 0, atol=1e-6)
    opposite = np.concatenate([unit(1, 1, 16), -unit(1, 1, 16)])
    np.testing.assert_allclose(consistency_map(opposite, 1)[0, 0, 1, 0], 2, atol=1e-6)


@given(sides, sides, st.integers(1, 8), st.integers(1, 6), st.integers(0, 99))
def test_the_score_is_the_mean_of_the_map(rows, columns, width, spread, seed):
    embeddings = unit(rows, columns, width, seed)
    score = detection_score(embeddings, spread)
    assert score == pytest.approx(float(consistency_map(embeddings, spread).mean()), abs=1e-5)
    assert 0 <= score <= 1
    shuffled = np.random.default_rng(seed).permutation(embeddings.reshape(-1, 1, width))
    assert detection_score(embeddings) == pytest.approx(detection_score(shuffled), abs=1e-5)


def test_the_score_rises_with_what_does_not_belong():
    embeddings = np.tile(np.eye(2, dtype=np.float32)[0], (10, 10, 1))
    scores = []
    for rows in range(6):
        embeddings[:rows] = [0, 1]
        scores.append(detection_score(embeddings))
    assert scores[0] == 0 and scores[-1] == pytest.approx(0.5) and scores == sorted(set(scores))


@pytest.mark.parametrize(
    ("embeddings", "spread"),
    [
        (unit(2, 2, 3), 0),
        (unit(2, 2, 3)[0], 1),
        (unit(2, 2, 3)[:0], 1),
        (2 * unit(2, 2, 3), 1),
        (unit(2, 2, 3) * np.nan, 1),
    ],
)
def test_what_is_no_grid_of_unit_embeddings_is_refused(embeddings, spread):
    for function in (consistency_map, detection_score):
        with pytest.raises(ValueError, match="expected embeddings"):
            function(embeddings, spread)


@settings(max_examples=50)
@given(st.integers(1, 150), st.integers(0, 4000), st.integers(0, 4000), st.integers(1, 40))
def test_grids_lie_within_the_photograph_and_fill_it(patch, more, wider, count):
    grid = grid_positions(patch + more, patch + wider, patch, count)
    longer = max(len(grid.tops), len(grid.lefts))
    for starts, size in ((grid.tops, grid.height), (grid.lefts, grid.width)):
        assert starts[0] < 8 and starts[-1] + patch <= size
        assert (starts % 8 == (size - patch) // 2 % 8).all()  # the phase of training
        assert (np.abs(starts - starts[0] - grid.stride * np.arange(len(starts))) <= 4).all()
        assert size - (starts[-1] + patch) < grid.stride + 8
    assert grid.stride >= 8 and longer <= count and 1 <= grid.spread <= FINEST
    if grid.stride > max(8, -(-patch // FINEST)):  # with any less there would be too many
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
def test_photographs_of_every_size_have_a_grid(height, width, shape, stride):
    grid = grid_positions(height, width, 124)
    assert (len(grid.tops), len(grid.lefts)) == shape and grid.stride == stride


@pytest.mark.parametrize(("height", "width"), [(123, 400), (400, 123), (0, 0)])
def test_a_photograph_smaller_than_a_patch_is_refused(height, width):
    with pytest.raises(InputError, match=rf"{width}x{height} pixels, less than a patch of 124"):
        grid_positions(height, width, 124)


def test_a_grid_of_nothing_is_refused():
    for patch, count in ((0, 30), (8, 0)):
        with pytest.raises(InputError, match="at least 1"):
            grid_positions(100, 100, patch, count)


def cells_of(grid: Grid) -> tuple[int, int]:
    return len(grid.tops) + grid.spread - 1, len(grid.lefts) + grid.spread - 1


@given(st.integers(1, 40), st.integers(0, 120), st.integers(0, 120), st.integers(0, 99))
def test_pixels_lie_between_their_cells(patch, more, wider, seed):
    grid = grid_positions(patch + more, patch + wider, patch)
    cells = np.random.default_rng(seed).random(cells_of(grid), np.float32)
    pixels = upsample(cells, grid)
    assert pixels.shape == (grid.height, grid.width) and pixels.dtype == np.float32
    assert pixels.min() >= cells.min() - 1e-6 and pixels.max() <= cells.max() + 1e-6
    np.testing.assert_allclose(upsample(np.full_like(cells, 0.25), grid), 0.25, atol=1e-6)


@pytest.mark.parametrize(("height", "width", "patch"), [(200, 260, 32), (900, 700, 20)])
def test_a_bright_patch_is_bright_where_it_lies(height, width, patch):
    grid = grid_positions(height, width, patch)
    row, column = len(grid.tops) // 2, len(grid.lefts) // 3
    cells = np.zeros(cells_of(grid))
    cells[row : row + grid.spread, column : column + grid.spread] = 1
    pixels = upsample(cells, grid)
    center = [(pixels.sum(axis=1 - axis) @ np.arange(size)) / pixels.sum() for axis, size in enumerate(pixels.shape)]
    np.testing.assert_allclose(
        center, [grid.tops[row] + (patch - 1) / 2, grid.lefts[column] + (patch - 1) / 2], atol=4.1
    )


def test_a_map_of_another_grid_is_refused():
    with pytest.raises(ValueError, match="expected a map"):
        upsample(np.zeros((3, 3)), grid_positions(100, 100, 32))
