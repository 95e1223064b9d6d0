"""Where is the splice? A map of cells from how consistent they are with each other, by two methods.

Both take `splicing.consistency_map`'s (R, C, R, C) and give float32 (R, C), 0…1, high where the picture is spliced.
Which part is the splice nobody tells them: it is the part that agrees less with the whole photograph, so of two parts
that are consistent within themselves the smaller one, and of two of one size the less consistent one.
"""

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

PERCENTILE = 10  # of the distances between cells: the radius of mean shift, as published
ITERATIONS = 5
# Of cells' mean squared distance from their mean: what rounding may add to a squared distance. Without it, points may
# drift out of reach of every cell where many cells are equal and the radius is 0; a mean over no neighbours is NaN.
ROUNDING = 1e-5
LINK = 1e-3  # affinity of unlike cells: with 0, a photograph of three unlike parts has no second eigenvector of its own


def mean_shift_map(consistency: NDArray[np.floating]) -> NDArray[np.float32]:
    """Half the inconsistency of each cell with the photograph's most usual content: 0 the same, 0.5 unrelated.

    Every cell is the point given by its row of the map. In each of five iterations every point moves to the mean of the
    cells within the radius (10th percentile of all distances); the answer is the point with the most cells around it,
    or the mean of several such. Where that belongs to the splice, the map is turned over within its range.
    Takes about 30 (R·C)² bytes: 120 MiB at 45 × 45 cells. Raises ValueError for another shape.
    """
    rows, columns, points = _points(consistency)
    # Only products of points are needed: a point on its way is a weighted mean of cells, and its distances to them
    # follow from the weights. About the mean, where float32 rounds distances least.
    about = points - points.mean(axis=0)
    products = about @ about.T
    squares = products.diagonal()
    weights = np.eye(len(points), dtype=np.float32)
    moved = products  # weights @ products
    distances = _squared_distances(weights, moved, squares)
    reach = np.percentile(distances, PERCENTILE) + ROUNDING * squares.mean()
    for _ in range(ITERATIONS):
        near = distances <= reach
        around = near.sum(axis=1, keepdims=True, dtype=np.float32)
        # A point with no cell in reach stays where it is.
        weights = np.where(around > 0, near / np.maximum(around, 1), weights)
        moved = weights @ products
        distances = _squared_distances(weights, moved, squares)
    density = (distances <= reach).sum(axis=1)
    mode = weights[density == density.max()].mean(axis=0) @ points
    found = np.clip(mode / 2, 0, 1)
    if _agrees_more(found > (found.min() + found.max()) / 2, points):
        found = found.min() + found.max() - found
    return found.reshape(rows, columns).astype(np.float32)


def _squared_distances(
    weights: NDArray[np.float32], moved: NDArray[np.float32], squares: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Of each moved point (a weighted mean of cells) to each cell; rounding may leave it slightly below 0."""
    lengths = np.einsum("pc,pc->p", weights, moved)
    return lengths[:, None] - 2 * moved + squares


def cut_map(consistency: NDArray[np.floating]) -> NDArray[np.float32]:
    """Normalised cuts (Shi and Malik, PAMI 2000) in two: above 0.5 the splice, further from it the surer.

    The affinity of two cells is their similarity where that is positive, else next to nothing: a negative one, as the
    mean cosine may be, makes the Laplacian indefinite. The second eigenvector of the normalized Laplacian is cut where
    the cut is cheapest. Takes about 25 (R·C)² bytes: 100 MiB at 45 × 45 cells. Raises ValueError for another shape.
    """
    rows, columns, points = _points(consistency)
    if len(points) < 2:
        return np.zeros((rows, columns), np.float32)
    affinity = np.maximum(1 - points.astype(np.float64), LINK)
    degrees = affinity.sum(axis=1)
    scale = 1 / np.sqrt(degrees)
    # The Laplacian's second smallest eigenvalue is the second largest of what is taken from the identity.
    second = len(points) - 2
    _, vectors = scipy.linalg.eigh(
        scale[:, None] * affinity * scale, subset_by_index=(second, second), overwrite_a=True, check_finite=False
    )
    position = scale * vectors[:, 0]
    position -= _cheapest_cut(position, affinity, degrees)
    if _agrees_more(position > 0, points):
        position = -position
    furthest = np.abs(position).max()
    return (0.5 + position / (2 * furthest or 1)).reshape(rows, columns).astype(np.float32)


def _cheapest_cut(position: NDArray[np.float64], affinity: NDArray[np.float64], degrees: NDArray[np.float64]) -> float:
    """The value between two neighbouring positions at which the normalized cut is smallest."""
    order = np.argsort(position, kind="stable")
    ordered = affinity[np.ix_(order, order)]
    within = np.cumsum(2 * np.tril(ordered, -1).sum(axis=1) + ordered.diagonal())[:-1]
    volume = np.cumsum(degrees[order])
    below, above = volume[:-1], volume[-1] - volume[:-1]
    cheapest = int(np.argmin((below - within) * (1 / below + 1 / above)))
    return float(position[order[cheapest : cheapest + 2]].mean())


def _points(consistency: NDArray[np.floating]) -> tuple[int, int, NDArray[np.float32]]:
    """R, C and the map as one row for each cell, float32 (R·C, R·C)."""
    if consistency.ndim != 4 or consistency.shape[:2] != consistency.shape[2:] or not consistency.size:
        raise ValueError(f"expected a map (R, C, R, C); got {consistency.shape}")
    rows, columns = consistency.shape[:2]
    return rows, columns, np.asarray(consistency, np.float32).reshape(rows * columns, -1)


def _agrees_more(part: NDArray[np.bool_], points: NDArray[np.float32]) -> bool:
    """Whether the cells of `part` agree more with the whole photograph than the others do."""
    if part.all() or not part.any():
        return bool(part.all())
    unlike = points.mean(axis=1)
    return bool(unlike[part].mean() < unlike[~part].mean())
