"""Localization: a heat map of the splice from the consistency map, by mean shift or by normalized cuts.

Both functions take a map (R, C, R, C) from `submissions.splices.consistency.consistency_map` and return float32 (R, C)
in [0, 1], high in the splice. The splice is the part that is less consistent with the whole photo: of two parts that
are consistent within themselves it is the smaller one, and of two parts of equal size the less consistent one.
"""

import math

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

RADIUS_PERCENTILE = 50  # of the distances between cells. The paper's 10 finds fewer small and recompressed splices.
ITERATIONS = 5
MAX_POINTS = 500  # neighboring cells share most of their patches, so that every second one says nearly the same
# Tolerance of the radius, relative to the mean squared distance of cells from their mean. If many cells are equal the
# radius is 0, and rounding could leave a point without any neighbor; the mean over no neighbors is NaN.
ROUNDING = 1e-5
# Smallest affinity of two cells. With 0, a photo of three unrelated parts has several second eigenvectors.
MIN_AFFINITY = 1e-3


def mean_shift_map(consistency: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return half the inconsistency of each cell with the most common content of the photo.

    Every cell is a point: its row of the consistency map. In each of 5 iterations every point moves to the mean of the
    cells within the radius, the median of all distances. The result is the point with the most cells around
    it, or the mean of several such points. If that point belongs to the splice, the map is inverted within its range.

    Of more than `MAX_POINTS` cells, only every second (or third, …) one in both directions is a point. A point always
    has one coordinate per cell.

    Takes about 5 MiB beside the map for 45 × 45 cells.

    Returns:
        float32 (R, C): 0 for equal content, 0.5 for unrelated content.

    Raises:
        ValueError: another shape than (R, C, R, C).
    """
    rows, columns, cells = _points(consistency)
    step = math.ceil(math.sqrt(len(cells) / MAX_POINTS))
    points = cells[np.arange(len(cells)).reshape(rows, columns)[::step, ::step].ravel()]
    # Products of points suffice: a moved point is a weighted mean of points, and its distances to the others follow
    # from the weights. Centered, because float32 then rounds distances least.
    centered = points - points.mean(axis=0)
    products = centered @ centered.T
    squares = products.diagonal()
    weights = np.eye(len(points), dtype=np.float32)
    distances = _squared_distances(weights, products, squares)
    radius = np.percentile(distances, RADIUS_PERCENTILE) + ROUNDING * squares.mean()  # squared
    for _ in range(ITERATIONS):
        near = (distances <= radius).astype(np.float32)
        neighbors = near.sum(axis=1, keepdims=True)
        # A point without neighbors does not move.
        weights = np.where(neighbors > 0, near / np.maximum(neighbors, 1), weights)
        distances = _squared_distances(weights, weights @ products, squares)
    density = (distances <= radius).sum(axis=1)
    mode = weights[density == density.max()].mean(axis=0) @ points
    heat = np.clip(mode / 2, 0, 1)
    if _is_more_consistent(heat > (heat.min() + heat.max()) / 2, cells):
        heat = heat.min() + heat.max() - heat
    return heat.reshape(rows, columns).astype(np.float32)


def _squared_distances(
    weights: NDArray[np.float32], moved: NDArray[np.float32], squares: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Squared distance of each moved point (a weighted mean) to each point; rounding may make it negative."""
    norms = np.einsum("pc,pc->p", weights, moved)
    return norms[:, None] - 2 * moved + squares


def cut_map(consistency: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the two parts of a normalized cut (Shi and Malik, PAMI 2000); cells of the splice are above 0.5.

    The affinity of two cells is their similarity, at least `MIN_AFFINITY`: the mean cosine may be negative, and
    negative affinities would make the Laplacian indefinite. The second eigenvector of the normalized Laplacian is
    split where the normalized cut is smallest. The distance from 0.5 is the distance from that split.

    Takes about 25 (R·C)² bytes: 100 MiB for 45 × 45 cells.

    Returns:
        float32 (R, C), 0…1.

    Raises:
        ValueError: another shape than (R, C, R, C).
    """
    rows, columns, points = _points(consistency)
    if len(points) < 2:
        return np.zeros((rows, columns), np.float32)
    affinity = np.maximum(1 - points.astype(np.float64), MIN_AFFINITY)
    degrees = affinity.sum(axis=1)
    scale = 1 / np.sqrt(degrees)
    # The second smallest eigenvalue of the Laplacian I − A belongs to the second largest of A.
    second = len(points) - 2
    _, vectors = scipy.linalg.eigh(
        scale[:, None] * affinity * scale, subset_by_index=(second, second), overwrite_a=True, check_finite=False
    )
    position = scale * vectors[:, 0]
    position -= _cheapest_cut(position, affinity, degrees)
    if _is_more_consistent(position > 0, points):
        position = -position
    largest = np.abs(position).max()
    return (0.5 + position / (2 * largest or 1)).reshape(rows, columns).astype(np.float32)


def _cheapest_cut(position: NDArray[np.float64], affinity: NDArray[np.float64], degrees: NDArray[np.float64]) -> float:
    """Value between two neighboring positions at which the normalized cut is smallest."""
    order = np.argsort(position, kind="stable")
    ordered = affinity[np.ix_(order, order)]
    within = np.cumsum(2 * np.tril(ordered, -1).sum(axis=1) + ordered.diagonal())[:-1]
    volume = np.cumsum(degrees[order])
    below, above = volume[:-1], volume[-1] - volume[:-1]
    cheapest = int(np.argmin((below - within) * (1 / below + 1 / above)))
    return float(position[order[cheapest : cheapest + 2]].mean())


def _points(consistency: NDArray[np.floating]) -> tuple[int, int, NDArray[np.float32]]:
    """R, C and the map with one row per cell, float32 (R·C, R·C)."""
    if consistency.ndim != 4 or consistency.shape[:2] != consistency.shape[2:] or not consistency.size:
        raise ValueError(f"expected a map (R, C, R, C); got {consistency.shape}")
    rows, columns = consistency.shape[:2]
    return rows, columns, np.asarray(consistency, np.float32).reshape(rows * columns, -1)


def _is_more_consistent(part: NDArray[np.bool_], points: NDArray[np.float32]) -> bool:
    """Whether the cells of `part` are more consistent with the whole photo than the other cells."""
    if part.all() or not part.any():
        return bool(part.all())
    inconsistency = points.mean(axis=1)
    return bool(inconsistency[part].mean() < inconsistency[~part].mean())
