"""The contrast agrees with a literal loop over the batch, its gradient with differences, recall with counting."""

import itertools
import math

import numpy as np
import pytest

from models.exif_language.loss import contrastive_gradients, contrastive_loss, recall, recall_by_chance

PHOTOGRAPHS = np.array([3, 1, 3, 0, 1, 3], np.int32)


def units(rng, count=6, width=4):
    x = rng.normal(size=(count, width))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def slow_loss(image, text, photographs, scale):
    total = 0.0
    for queries, found in ((image, text), (text, image)):
        for n, query in enumerate(queries):
            others = [m for m in range(len(found)) if m == n or photographs[m] != photographs[n]]
            exponentials = {m: math.exp(scale * float(query @ found[m])) for m in others}
            total -= math.log(exponentials[n] / sum(exponentials.values()))
    return total / (2 * len(image))


@pytest.mark.parametrize("scale", [1.0, 14.3, 100.0])
@pytest.mark.parametrize("photographs", [PHOTOGRAPHS, np.arange(6, dtype=np.int32)])
def test_the_loss_is_that_of_a_loop(photographs, scale):
    rng = np.random.default_rng(0)
    image, text = units(rng), units(rng)
    expected = slow_loss(image.astype(float), text.astype(float), photographs, scale)
    assert float(contrastive_loss(image, text, photographs, scale)) == pytest.approx(expected, rel=1e-5)


def test_patches_of_one_photograph_alone_have_no_negatives():
    image, text = units(np.random.default_rng(1)), units(np.random.default_rng(2))
    assert float(contrastive_loss(image, text, np.zeros(6, np.int32), 100.0)) == pytest.approx(0, abs=1e-6)


def test_the_gradients_are_those_of_differences():
    rng = np.random.default_rng(3)
    image, text, scale, step = units(rng), units(rng), 5.0, 1e-6
    loss, by_image, by_text, by_scale = map(np.asarray, contrastive_gradients(image, text, PHOTOGRAPHS, scale))
    image, text = image.astype(float), text.astype(float)
    here = slow_loss(image, text, PHOTOGRAPHS, scale)
    assert loss == pytest.approx(here, rel=1e-5)
    for array, found in ((image, by_image), (text, by_text)):
        for place in np.ndindex(array.shape):
            array[place] += step
            there = slow_loss(image, text, PHOTOGRAPHS, scale)
            array[place] -= step
            assert found[place] == pytest.approx((there - here) / step, abs=1e-4)
    there = slow_loss(image, text, PHOTOGRAPHS, scale * math.exp(step))
    assert by_scale == pytest.approx((there - here) / step, abs=1e-4)


def slow_recall(queries, found, kinds, rank):
    """The mean over all orders of the found that put no nearer one after a farther."""
    total = 0.0
    for n, query in enumerate(queries):
        near = found @ query
        orders = [o for o in itertools.permutations(range(len(found))) if (np.diff(near[list(o)]) <= 0).all()]
        total += np.mean([any(kinds[m] == kinds[n] for m in order[:rank]) for order in orders])
    return total / len(queries)


def test_recall_counts_ties_as_chance_does_and_equal_texts_as_hits():
    rng = np.random.default_rng(4)
    queries, found = rng.integers(-1, 2, (2, 6, 2)).astype(np.float32)
    kinds = np.array([0, 1, 0, 2, 3, 3])
    ranks = (1, 2, 3, 5, 10)
    expected = [slow_recall(queries, found, kinds, rank) for rank in ranks]
    assert recall(queries, found, kinds, ranks) == pytest.approx(expected)
    assert 0 < expected[0] < 1


def test_one_answer_for_everything_is_as_good_as_chance():
    kinds = np.array(["a", "b", "a", "c", "d", "e", "f", "g", "h", "i", "j", "k"])
    same = np.ones((12, 3), np.float32)
    assert recall(same, same, kinds) == pytest.approx(recall_by_chance(kinds))
    assert recall_by_chance(np.arange(20)) == pytest.approx([0.05, 0.25, 0.5])


def test_right_answers_are_found(monkeypatch):
    monkeypatch.setattr("models.exif_language.loss.ROWS", 2)
    x = np.eye(5, dtype=np.float32)
    assert recall(x, x, np.arange(5)) == [1, 1, 1]
    assert recall(x, np.roll(x, 1, axis=0), np.arange(5))[0] == 0
