"""Heat maps are high in the splice, whichever part it is, and always finite."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from submissions.splices.consistency import consistency_map
from submissions.splices.localization import cut_map, mean_shift_map

METHODS = [mean_shift_map, cut_map]


def spliced(
    top: int, left: int, height: int, width: int, *, noise: float = 0.5, similarity: float = 0.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (14, 18, 32) of a photo with a rectangle of another camera, and the mask of the rectangle."""
    rng = np.random.default_rng(seed)
    camera, other = np.eye(32)[:2]
    other = similarity * camera + np.sqrt(1 - similarity**2) * other
    mask = np.zeros((14, 18), bool)
    mask[top : top + height, left : left + width] = True
    embeddings = np.where(mask[..., None], other, camera) + noise * rng.standard_normal((14, 18, 32)) / np.sqrt(32)
    return embeddings / np.linalg.norm(embeddings, axis=-1, keepdims=True), mask


def roc_area(found: np.ndarray, mask: np.ndarray) -> float:
    """Area under the ROC curve: how often a spliced cell is above another cell."""
    return float((found[mask][:, None] > found[~mask]).mean())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("similarity", [0.5, 0.0, -0.8])
@pytest.mark.parametrize("place", [(2, 3, 4, 5), (0, 0, 14, 7), (5, 9, 9, 9), (8, 2, 2, 3)])
def test_splice_is_bright(method, similarity, place):
    embeddings, mask = spliced(*place, similarity=similarity)
    found = method(consistency_map(embeddings, 1))
    assert found.shape == mask.shape and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1
    assert roc_area(found, mask) > 0.97


@pytest.mark.parametrize("place", [(2, 3, 4, 5), (0, 0, 14, 7)])
def test_cut_map_separates_splice_at_a_half(place):
    embeddings, mask = spliced(*place, noise=0.3)
    assert ((cut_map(consistency_map(embeddings, 1)) > 0.5) == mask).mean() > 0.98


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("place", [(2, 3, 6, 6), (0, 0, 14, 6)])
def test_splice_may_be_more_consistent_within_itself_than_the_photo(method, place):
    # The larger splice has the most common content, where mean shift converges.
    rough, mask = spliced(*place, noise=0.7)
    smooth, _ = spliced(*place, noise=0.05)
    found = method(consistency_map(np.where(mask[..., None], smooth, rough), 1))
    assert roc_area(found, mask) > 0.97


@pytest.mark.parametrize("method", METHODS)
def test_less_consistent_of_two_halves_is_the_splice(method):
    smooth, mask = spliced(0, 0, 14, 9, noise=0.3)
    rough, _ = spliced(0, 0, 14, 9, noise=0.9)
    assert roc_area(method(consistency_map(np.where(mask[..., None], rough, smooth), 1)), mask) > 0.97
    assert roc_area(method(consistency_map(np.where(mask[..., None], smooth, rough), 1)), ~mask) > 0.97


@pytest.mark.parametrize("method", METHODS)
def test_map_of_mirrored_photo_is_mirrored(method):
    embeddings, _ = spliced(3, 4, 5, 6)
    found = method(consistency_map(embeddings, 3))
    np.testing.assert_allclose(method(consistency_map(embeddings[:, ::-1], 3)), found[:, ::-1], atol=1e-3)


@settings(max_examples=40)
@given(st.sampled_from(METHODS), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 999))
def test_map_is_finite(method, rows, columns, patch_cells, seed):
    # Three different embeddings: many cells are equal, and others have no neighbors.
    rng = np.random.default_rng(seed)
    embeddings = rng.standard_normal((3, 5))[rng.integers(0, 3, (rows, columns))]
    embeddings /= np.linalg.norm(embeddings, axis=-1, keepdims=True)
    found = method(consistency_map(embeddings, patch_cells))
    assert np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("embeddings", [np.ones((6, 7, 1)), np.tile(np.eye(64)[:1] * -1, (5, 5, 1)), np.eye(9)[None]])
def test_map_of_uniform_or_unrelated_patches_is_finite(method, embeddings):
    for patch_cells in (1, 4):
        assert np.isfinite(method(consistency_map(embeddings, patch_cells))).all()


def test_equal_cells_are_neighbors_if_radius_is_0():
    # More than half of the distances are 0, so the radius is 0.
    embeddings, mask = spliced(2, 3, 4, 5, noise=0.0)
    found = mean_shift_map(consistency_map(embeddings, 1))
    np.testing.assert_allclose(found, np.where(mask, 0.5, 0), atol=1e-5)


def test_mean_shift_equals_loop_over_points():
    consistency = consistency_map(spliced(3, 4, 5, 6, noise=1.0)[0][:8, :8], 2)
    points = consistency.astype(np.float64).reshape(9 * 9, -1)
    radius = np.median(cdist(points, points)) + 1e-9
    moved = points.copy()
    for _ in range(5):
        for index, point in enumerate(moved):
            moved[index] = points[np.linalg.norm(points - point, axis=1) <= radius].mean(axis=0)
    density = (cdist(moved, points) <= radius).sum(axis=1)
    mode = moved[density == density.max()].mean(axis=0).reshape(9, 9)
    np.testing.assert_allclose(mean_shift_map(consistency), mode / 2, atol=1e-5)


def test_cut_map_ignores_negative_similarity():
    consistency = np.ones((1, 6, 1, 6))
    consistency[0, :4, 0, :4] = consistency[0, 4:, 0, 4:] = 0.2
    opposite = np.where(consistency == 1, 1.9, consistency)
    for given_map in (consistency, opposite):
        np.testing.assert_array_equal(cut_map(given_map)[0] > 0.5, [False] * 4 + [True] * 2)
    np.testing.assert_allclose(cut_map(consistency), cut_map(opposite), atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_invalid_shape_raises(method):
    for shape in ((4, 4), (2, 3, 3, 2), (0, 2, 0, 2)):
        with pytest.raises(ValueError, match="expected a map"):
            method(np.zeros(shape))
