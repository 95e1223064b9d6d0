"""Contrast between patches and texts: the loss of a batch, its gradient, and how well one finds the other.

After Zheng, Shrivastava and Owens, "EXIF as Language" (CVPR 2023), with the loss of CLIP (Radford et al. 2021).
The gradient by the embeddings is in closed form, so that a batch may be embedded piece by piece (`models.exif_language.dual_encoder`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

RANKS = (1, 5, 10)
LEFT_OUT = -1e9  # a logit whose exponential is 0, and of which nothing becomes NaN
ROWS = 1024  # queries compared at a time


def contrastive_loss(image: Any, text: Any, photographs: Any, scale: Any) -> Any:
    """Symmetric cross-entropy over a batch, float32 ().

    Entry n of `image` and of `text`, unit vectors (batch, width), belong together; all other pairs of the batch are
    negatives, but for those of one photograph (`photographs`: int (batch,)), which the denominators leave out.
    `scale`: by which cosines are multiplied.
    """
    logits = _logits(image, text, photographs, scale)
    of_images = ops.log_softmax(logits, axis=1)
    of_texts = ops.log_softmax(logits, axis=0)
    return -ops.mean(ops.diagonal(of_images) + ops.diagonal(of_texts)) / 2


def contrastive_gradients(image: Any, text: Any, photographs: Any, scale: Any) -> tuple[Any, Any, Any, Any]:
    """The loss, and its gradients by `image` (batch, width), `text` (batch, width) and the logarithm of `scale` ()."""
    logits = _logits(image, text, photographs, scale)
    batch = ops.shape(logits)[0]
    shares = ops.softmax(logits, axis=1) + ops.softmax(logits, axis=0)
    by_logits = (shares - 2 * ops.eye(batch)) / (2 * batch)
    by_scale = ops.sum(by_logits * logits)  # what is left out has the gradient 0, exactly
    loss = contrastive_loss(image, text, photographs, scale)
    return loss, scale * (by_logits @ text), scale * (ops.transpose(by_logits) @ image), by_scale


def _logits(image: Any, text: Any, photographs: Any, scale: Any) -> Any:
    same = ops.equal(ops.expand_dims(photographs, 0), ops.expand_dims(photographs, 1))
    others = ops.logical_and(same, ops.logical_not(ops.eye(ops.shape(image)[0], dtype="bool")))
    return ops.where(others, LEFT_OUT, scale * (image @ ops.transpose(text)))


def recall(
    queries: NDArray[np.floating], found: NDArray[np.floating], kinds: NDArray[Any], ranks: Sequence[int] = RANKS
) -> list[float]:
    """Share of queries that have a hit among the first 1, 5, 10 found, by the dot product; one for each of `ranks`.

    Entry n of `queries` and of `found`, (count, width), belong together and are of `kinds[n]`; all that is found of the
    query's kind is a hit. Give equal texts one kind, for nothing can tell them apart. What is equally near comes in
    random order, and the answer is the expected share: a network with one answer for everything has that of chance.
    """
    count = len(queries)
    shares = np.zeros(len(ranks))
    for start in range(0, count, ROWS):
        rows = slice(start, start + ROWS)
        near = queries[rows] @ found.T
        hits = np.asarray(kinds[rows])[:, None] == np.asarray(kinds)[None]
        best = np.where(hits, near, -np.inf).max(axis=1, keepdims=True)
        nearer = (near > best).sum(axis=1)
        tied_hits = (hits & (near == best)).sum(axis=1)
        tied_others = (~hits & (near == best)).sum(axis=1)
        shares += [_chance(tied_hits, tied_others, rank - nearer).sum() for rank in ranks]
    return [float(share) for share in shares / count]


def recall_by_chance(kinds: NDArray[Any], ranks: Sequence[int] = RANKS) -> list[float]:
    """`recall` of a network that knows nothing."""
    _, kind, counts = np.unique(np.asarray(kinds), return_inverse=True, return_counts=True)
    hits = counts[kind]
    return [float(_chance(hits, len(hits) - hits, np.full(len(hits), rank)).mean()) for rank in ranks]


def _chance(hits: NDArray[np.integer], others: NDArray[np.integer], drawn: NDArray[np.integer]) -> NDArray[np.float64]:
    """The chance of at least one hit among the first `drawn` of hits and others in random order."""
    missed = np.ones(len(hits))
    for number in range(max(0, int(drawn.max(initial=0)))):
        left = np.maximum(hits + others - number, 1)
        missed *= np.where(number < drawn, np.maximum(others - number, 0) / left, 1)
    return 1 - missed
