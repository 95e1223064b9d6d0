import itertools
import math
import statistics

import numpy as np
import pytest

from models.exif_language.loss import chance_recall, contrastive_gradients, contrastive_loss, recall, validation_loss

PHOTOS = np.array([3, 1, 3, 0, 1, 3], np.int32)


def unit_vectors(rng, count=6, width=4):
    x = rng.normal(size=(count, width))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def slow_loss(image, text, photos, scale):
    total = 0.0
    for queries, candidates in ((image, text), (text, image)):
        for n, query in enumerate(queries):
            others = [m for m in range(len(candidates)) if m == n or photos[m] != photos[n]]
            exponentials = {m: math.exp(scale * float(query @ candidates[m])) for m in others}
            total -= math.log(exponentials[n] / sum(exponentials.values()))
    return total / (2 * len(image))


@pytest.mark.parametrize("scale", [1.0, 14.3, 100.0])
@pytest.mark.parametrize("photos", [PHOTOS, np.arange(6, dtype=np.int32)])
def test_loss_equals_a_loop_over_the_batch(photos, scale):
    rng = np.random.default_rng(0)
    image, text = unit_vectors(rng), unit_vectors(rng)
    expected = slow_loss(image.astype(float), text.astype(float), photos, scale)
    assert float(contrastive_loss(image, text, photos, scale)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_validation_loss_in_pieces_equals_that_of_one_batch(scale, monkeypatch):
    monkeypatch.setattr("models.exif_language.loss.PAIRS", 25)  # four rows
    image, text = unit_vectors(np.random.default_rng(5)), unit_vectors(np.random.default_rng(6))
    expected = slow_loss(image.astype(float), text.astype(float), np.arange(6), scale)
    assert validation_loss(image, text, scale) == pytest.approx(expected, rel=1e-5)


def test_batch_of_a_single_photo_has_no_negatives():
    image, text = unit_vectors(np.random.default_rng(1)), unit_vectors(np.random.default_rng(2))
    assert float(contrastive_loss(image, text, np.zeros(6, np.int32), 100.0)) == pytest.approx(0, abs=1e-6)


def test_gradients_equal_finite_differences():
    rng = np.random.default_rng(3)
    image, text, scale, step = unit_vectors(rng), unit_vectors(rng), 5.0, 1e-6
    loss, by_image, by_text, by_scale = map(np.asarray, contrastive_gradients(image, text, PHOTOS, scale))
    image, text = image.astype(float), text.astype(float)
    here = slow_loss(image, text, PHOTOS, scale)
    assert loss == pytest.approx(here, rel=1e-5)
    for array, gradient in ((image, by_image), (text, by_text)):
        for index in np.ndindex(array.shape):
            array[index] += step
            there = slow_loss(image, text, PHOTOS, scale)
            array[index] -= step
            assert gradient[index] == pytest.approx((there - here) / step, abs=1e-4)
    there = slow_loss(image, text, PHOTOS, scale * math.exp(step))
    assert by_scale == pytest.approx((there - here) / step, abs=1e-4)


def slow_recall(queries, candidates, ids, rank):
    """The mean over all orders of the candidates by decreasing similarity."""
    total = 0.0
    for n, query in enumerate(queries):
        similarity = candidates @ query
        permutations = itertools.permutations(range(len(candidates)))
        orders = [order for order in permutations if (np.diff(similarity[list(order)]) <= 0).all()]
        total += statistics.mean([any(ids[m] == ids[n] for m in order[:rank]) for order in orders])
    return total / len(queries)


def test_recall_averages_over_ties_and_counts_equal_texts_as_hits():
    rng = np.random.default_rng(4)
    queries, candidates = rng.integers(-1, 2, (2, 6, 2)).astype(np.float32)
    ids = np.array([0, 1, 0, 2, 3, 3])
    ranks = (1, 2, 3, 5, 10)
    expected = [slow_recall(queries, candidates, ids, rank) for rank in ranks]
    assert recall(queries, candidates, ids, ranks) == pytest.approx(expected)
    assert 0 < expected[0] < 1


def test_constant_embedding_has_the_recall_of_chance():
    ids = np.array(["a", "b", "a", "c", "d", "e", "f", "g", "h", "i", "j", "k"])
    same = np.ones((12, 3), np.float32)
    assert recall(same, same, ids) == pytest.approx(chance_recall(ids))
    assert chance_recall(np.arange(20)) == pytest.approx([0.05, 0.25, 0.5])


def test_perfect_embedding_has_recall_one(monkeypatch):
    monkeypatch.setattr("models.exif_language.loss.PAIRS", 10)
    x = np.eye(5, dtype=np.float32)
    assert recall(x, x, np.arange(5)) == [1, 1, 1]
    assert recall(x, np.roll(x, 1, axis=0), np.arange(5))[0] == 0
