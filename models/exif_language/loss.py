"""The contrastive loss of patches and texts, its gradient, and recall.

After Zheng, Shrivastava and Owens, "EXIF as Language" (CVPR 2023), with the loss of CLIP (Radford et al. 2021). The
gradient with respect to the embeddings has a closed form, so that `models.exif_language.dual_encoder` can embed a batch
in parts.
"""

from collections.abc import Sequence

import numpy as np
from keras import ops
from numpy.typing import NDArray

from models.layers import Tensor

RANKS = (1, 5, 10)
MASKED = -1e9  # a logit whose exponential is 0, and that leads to no NaN
PAIRS = 2**24  # of a query and a candidate that are compared at a time: bounds the memory

Ids = NDArray[np.integer] | NDArray[np.str_]


def contrastive_loss(image: Tensor, text: Tensor, photos: Tensor, scale: Tensor | float) -> Tensor:
    """Return the symmetric cross-entropy of a batch, float32 ().

    Args:
        image: unit vectors of patches, (batch, width).
        text: unit vectors of texts, (batch, width); row n belongs to row n of `image`.
        photos: the photo of each row, int (batch,). All other rows of the batch are negatives, except those of the same
            photo, which the denominators leave out.
        scale: factor of the cosines.
    """
    logits = _logits(image, text, photos, scale)
    by_image = ops.log_softmax(logits, axis=1)
    by_text = ops.log_softmax(logits, axis=0)
    return -ops.mean(ops.diagonal(by_image) + ops.diagonal(by_text)) / 2


def contrastive_gradients(
    image: Tensor, text: Tensor, photos: Tensor, scale: Tensor | float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the loss, and its gradients by `image` (batch, width), `text` (batch, width) and log `scale` ().

    The arguments are those of `contrastive_loss`.
    """
    logits = _logits(image, text, photos, scale)
    batch = ops.shape(logits)[0]
    probabilities = ops.softmax(logits, axis=1) + ops.softmax(logits, axis=0)
    by_logits = (probabilities - 2 * ops.eye(batch)) / (2 * batch)
    by_scale = ops.sum(by_logits * logits)  # masked logits have exactly the gradient 0
    loss = contrastive_loss(image, text, photos, scale)
    return loss, scale * (by_logits @ text), scale * (ops.transpose(by_logits) @ image), by_scale


def _logits(image: Tensor, text: Tensor, photos: Tensor, scale: Tensor | float) -> Tensor:
    same = ops.equal(ops.expand_dims(photos, 0), ops.expand_dims(photos, 1))
    masked = ops.logical_and(same, ops.logical_not(ops.eye(ops.shape(image)[0], dtype="bool")))
    return ops.where(masked, MASKED, scale * (image @ ops.transpose(text)))


def validation_loss(image: NDArray[np.float32], text: NDArray[np.float32], scale: float) -> float:
    """Return the `contrastive_loss` of one batch of different photos, computed in pieces of `PAIRS` pairs.

    Args:
        image: unit vectors of patches, (photos, width).
        text: unit vectors of their texts, (photos, width).
        scale: factor of the cosines, at most 100, so that no exponential is 0.
    """
    by_image, by_text = [], np.zeros(len(text))
    for rows in _pieces(len(image)):
        exponentials = np.exp(scale * (image[rows] @ text.T).astype(np.float64) - scale)
        by_image.append(exponentials.sum(axis=1))
        by_text += exponentials.sum(axis=0)
    denominators = np.log(np.concatenate(by_image)) + np.log(by_text)
    cosines = np.einsum("nw,nw->n", image, text, dtype=np.float64)
    return float(np.mean(denominators / 2 + scale - scale * cosines))


def recall(
    queries: NDArray[np.floating], candidates: NDArray[np.floating], ids: Ids, ranks: Sequence[int] = RANKS
) -> list[float]:
    """Return the share of queries with a hit among their nearest candidates, for each of `ranks`.

    Candidates are sorted by their dot product with the query. Ties are in random order, and the result is the expected
    share, so a network with a constant output has the recall of chance.

    Args:
        queries: (count, width).
        candidates: (count, width).
        ids: of each query and of the candidate in the same row, (count,). A candidate with the id of the query is a
            hit. Give equal texts the same id, because nothing can distinguish them.
        ranks: numbers of nearest candidates.
    """
    count = len(queries)
    shares = np.zeros(len(ranks))
    for rows in _pieces(count):
        similarity = queries[rows] @ candidates.T
        hits = ids[rows, None] == ids[None]
        best = np.where(hits, similarity, -np.inf).max(axis=1, keepdims=True)
        nearer = (similarity > best).sum(axis=1)
        tied_hits = (hits & (similarity == best)).sum(axis=1)
        tied_misses = (~hits & (similarity == best)).sum(axis=1)
        shares += [_hit_probability(tied_hits, tied_misses, rank - nearer).sum() for rank in ranks]
    return [float(share) for share in shares / count]


def chance_recall(ids: Ids, ranks: Sequence[int] = RANKS) -> list[float]:
    """Return the `recall` of candidates in random order."""
    _, index, counts = np.unique(ids, return_inverse=True, return_counts=True)
    hits = counts[index]
    return [float(_hit_probability(hits, len(hits) - hits, np.full(len(hits), rank)).mean()) for rank in ranks]


def _pieces(count: int) -> list[slice]:
    """Slices of queries that form at most `PAIRS` pairs with `count` candidates, or one query at a time."""
    rows = max(1, PAIRS // count)
    return [slice(start, start + rows) for start in range(0, count, rows)]


def _hit_probability(
    hits: NDArray[np.integer], misses: NDArray[np.integer], drawn: NDArray[np.integer]
) -> NDArray[np.float64]:
    """The probability of at least one hit among the first `drawn` of hits and misses in random order."""
    missed = np.ones(len(hits))
    for number in range(max(0, int(drawn.max(initial=0)))):
        left = np.maximum(hits + misses - number, 1)
        missed *= np.where(number < drawn, np.maximum(misses - number, 0) / left, 1)
    return 1 - missed
