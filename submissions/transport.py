"""Transport: assign images to classes with given quotas at the maximum sum of scores.

This linear program has one source per image and one sink per class, and its dual has one price per class. At the
optimal prices every image takes the class with the largest score − price, and only images that are indifferent between
two classes are left to decide (Bertsekas 1988). So the time grows with the number of images, not with its cube.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BLOCK = 16_384  # images that are processed together, so that they stay in the cache
# The search for prices from which few images have to move. It only matters for the speed.
TEMPERATURES = 10
COOLING = 8.0  # ratio of two temperatures
STEPS = 10  # at each temperature
TOLERANCE = 0.01  # share of the images, at temperature 1 and above; less below
FAILURES = 2  # temperatures without progress after which the search ends
RIDGE = 1e-12  # limits Newton's step where no image is undecided
SMALLEST = float(np.finfo(np.float64).tiny)


def transport(scores: Floats, quotas: Integers) -> Integers:
    """Return the classes (images,) with the maximum sum of scores among those that keep the quotas.

    Approximate prices come from `entropic_prices` at decreasing temperatures. The images above a quota then move along
    shortest augmenting paths between classes, which makes the assignment optimal whatever the prices were.

    Args:
        scores: (images, classes), finite. They are rounded to 2⁻⁴² for logarithms of float32 probabilities and ten
            classes (in general to the precision at which sums of `classes` scores are exact in float64).
        quotas: (classes,), integers ≥ 0 that add up to the number of images.
    """
    used = np.flatnonzero(quotas)
    if len(used) < 2:
        return np.repeat(used, quotas[used])
    scores, quotas = np.take(scores, used, axis=1), quotas[used]
    scores -= scores.max(axis=1, keepdims=True)
    span = max(-float(scores.min()), 1.0)
    limit = len(used) * span  # of a sum of scores along a path, and of prices
    unit = 2.0 ** (np.ceil(np.log2(4 * limit)) - 52)
    np.multiply(np.rint(scores / unit), unit, out=scores)
    prices = _start_prices(scores, quotas, span)
    prices = np.rint(np.clip(prices - prices.mean(), -limit, limit) / unit) * unit
    return used[_move_to_quotas(scores, (scores - prices).argmax(axis=1), quotas)]


def entropic_prices(
    scores: Floats, quotas: NDArray[np.number], start: Floats, temperature: float, tolerance: float, steps: int
) -> Floats:
    """Return prices (classes,) at which the softmax of (scores − prices) / temperature adds up to the quotas.

    They are the potentials of transport with an entropy penalty (Cuturi 2013), the minimum of a convex function. A step
    is Newton's, or Sinkhorn's where Newton's does not descend.

    Args:
        scores: (images, classes), finite.
        quotas: (classes,), above 0, adding up to the number of images; not necessarily integers.
        start: prices to begin with, (classes,).
        temperature: above 0. The limit 0 is the problem of `transport`.
        tolerance: largest difference between a quota and its sum, in images, at which the search ends.
        steps: maximum number of steps.
    """
    prices, (value, sums, overlaps) = start, _dual(scores, quotas, start, temperature)
    for _ in range(steps):
        excess = sums - quotas
        if np.abs(excess).max() <= tolerance:
            break
        hessian = np.diag(sums) - overlaps
        # A constant added to all prices changes nothing: the constant matrix makes the solution unique.
        regular = hessian + np.trace(hessian) / len(quotas) + RIDGE * len(scores) * np.eye(len(quotas))
        newton = prices + temperature * np.linalg.solve(regular, excess)
        sinkhorn = prices + temperature * np.log(np.maximum(sums, SMALLEST) / quotas)
        for step in (newton, sinkhorn):
            found = _dual(scores, quotas, step, temperature)
            if found[0] < value:
                break
        else:
            break  # the minimum, up to rounding
        prices, (value, sums, overlaps) = step, found
    return prices


def _dual(
    scores: Floats, quotas: NDArray[np.number], prices: Floats, temperature: float
) -> tuple[float, Floats, Floats]:
    """The function that `entropic_prices` minimizes.

    Returns its value, and of the softmax R the sums (classes,) and the products RᵀR (classes, classes).
    """
    value, sums, overlaps = float(quotas @ prices), np.zeros(len(prices)), np.zeros((len(prices),) * 2)
    for first in range(0, len(scores), BLOCK):
        shares = scores[first : first + BLOCK] - prices
        largest = shares.max(axis=1, keepdims=True)
        shares -= largest
        shares /= temperature
        np.exp(shares, out=shares)
        total = shares.sum(axis=1, keepdims=True)
        shares /= total
        value += float(largest.sum() + temperature * np.log(total).sum())
        sums += shares.sum(axis=0)
        overlaps += shares.T @ shares
    return value, sums, overlaps


def _start_prices(scores: Floats, quotas: Integers, span: float) -> Floats:
    """Prices (classes,) from which few images have to move."""

    def excess(prices: Floats) -> int:
        counts = np.bincount((scores - prices).argmax(axis=1), minlength=len(quotas))
        return int(np.maximum(counts - quotas, 0).sum())

    prices = np.zeros(len(quotas))
    best, fewest = prices, excess(prices)
    left, failures = len(scores), 0
    for temperature in span / COOLING ** np.arange(TEMPERATURES):
        if fewest <= 2 * len(quotas) or failures == FAILURES:
            break
        tolerance = max(1.0, TOLERANCE * len(scores) * min(temperature, 1.0))
        found = entropic_prices(scores, quotas, prices, temperature, tolerance, STEPS)
        if found is prices:
            continue
        prices, before, left = found, left, excess(found)
        failures = 0 if left < before else failures + 1
        if left < fewest:
            best, fewest = prices, left
    return best


def _move_to_quotas(scores: Floats, labels: Integers, quotas: Integers) -> Integers:
    """Move images between classes until the quotas are kept; returns the labels (images,).

    `labels` has the maximum sum of scores for its own numbers of images per class, and so has every later state: an
    image more or less costs least along a shortest path, whose edge from one class to another is the image that loses
    least by the move.
    """
    excess = np.bincount(labels, minlength=len(quotas)) - quotas
    images = _may_move(scores, labels, excess)
    scores, moved = scores[images], labels[images]
    losses = np.full((len(quotas),) * 2, np.inf)  # of the best move from a class (row) to another (column)
    changed = list(range(len(quotas)))
    while True:
        for label in changed:
            losses[label] = _losses(scores, np.flatnonzero(moved == label), label).min(axis=0, initial=np.inf)
        if not excess.any():
            labels = labels.copy()
            labels[images] = moved
            return labels
        path = _shortest_path(losses, excess > 0, excess < 0)
        edges = list(pairwise(path))
        movers = [_equal_moves(scores, moved, a, b, losses[a, b]) for a, b in edges]
        count = min(excess[path[0]], -excess[path[-1]], *map(len, movers))  # images with equal losses move together
        for (_, label), ids in zip(edges, movers, strict=True):
            moved[ids[:count]] = label
        excess[path[0]] -= count
        excess[path[-1]] += count
        changed = path


def _losses(scores: Floats, ids: Integers, label: int) -> Floats:
    """What the images `ids` of the class `label` lose by a move to each class: (ids, classes)."""
    own = scores[ids]
    return own[:, label, None] - own


def _equal_moves(scores: Floats, labels: Integers, a: int, b: int, loss: float) -> Integers:
    """Images of class `a` that lose exactly `loss` by a move to class `b`."""
    ids = np.flatnonzero(labels == a)
    return ids[scores[ids, a] - scores[ids, b] == loss]


def _may_move(scores: Floats, labels: Integers, excess: Integers) -> Integers:
    """Images that can be on a path: of each class those that lose least by a move to each other class.

    A path takes at most one image from a class, so that no more than the number of paths are needed.
    """
    paths = int(np.maximum(excess, 0).sum())
    found = [np.empty(0, np.int64)]
    for label in range(len(excess) if paths else 0):
        ids = np.flatnonzero(labels == label)
        if len(ids) > paths:
            least = np.argpartition(_losses(scores, ids, label), paths - 1, axis=0)[:paths]
            ids = ids[np.unique(least)]
        found.append(ids)
    return np.concatenate(found)


def _shortest_path(lengths: Floats, sources: NDArray[np.bool_], sinks: NDArray[np.bool_]) -> list[int]:
    """The shortest path from any source to any sink, as a list of nodes (Bellman-Ford; no cycle is negative)."""
    distances = np.where(sources, 0.0, np.inf)
    previous = np.full(len(lengths), -1)
    while True:
        through = distances[:, None] + lengths
        nearest = through.min(axis=0)
        shorter = nearest < distances
        if not shorter.any():
            break
        distances[shorter] = nearest[shorter]
        previous[shorter] = through.argmin(axis=0)[shorter]
    path = [int(np.where(sinks, distances, np.inf).argmin())]
    while previous[path[0]] >= 0:
        path.insert(0, int(previous[path[0]]))
    return path
