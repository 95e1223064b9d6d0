"""The assignment has the maximum sum of scores under the quotas, ties included; prices keep quotas on average."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from submissions.transport import entropic_prices, transport

SMALLEST = float(np.finfo(np.float32).tiny)


def confident(rng, images, classes):
    logits = 20 * rng.normal(size=(images, classes)) + 20 * rng.normal(size=classes)
    values = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (values / values.sum(axis=1, keepdims=True)).astype(np.float32)


KINDS = {
    "uncertain": lambda rng, images, classes: rng.dirichlet(np.full(classes, 0.5), images),
    "confident": confident,
    "one decimal": lambda rng, images, classes: rng.dirichlet(np.full(classes, 0.5), images).round(1),
    "one-hot": lambda rng, images, classes: np.eye(classes)[rng.integers(0, classes, images)],
    "equal images": lambda rng, images, classes: np.tile(rng.dirichlet(np.ones(classes)), (images, 1)),
    "equal classes": lambda rng, images, classes: np.full((images, classes), 1 / classes),
}


def make(kind, rng, images, classes):
    """Scores (images, classes), and quotas of which some may be zero."""
    quotas = np.bincount(rng.choice(classes, size=images, p=rng.dirichlet(np.ones(classes))), minlength=classes)
    return np.log(np.maximum(KINDS[kind](rng, images, classes), SMALLEST)), quotas


def total(scores, labels):
    return scores[np.arange(len(labels)), labels].sum()


def largest_total(scores, quotas):
    """The optimum by one column per place."""
    places = scores[:, np.repeat(np.arange(len(quotas)), quotas)]
    return places[linear_sum_assignment(places, maximize=True)].sum()


@pytest.mark.parametrize("kind", KINDS)
def test_total_equals_the_assignment_problem_on_random_small_cases(kind):
    rng = np.random.default_rng(0)
    for _ in range(170):  # times six kinds: about 1,000 cases
        scores, quotas = make(kind, rng, int(rng.integers(1, 41)), int(rng.integers(1, 9)))
        labels = transport(scores, quotas)
        np.testing.assert_array_equal(np.bincount(labels, minlength=len(quotas)), quotas)
        assert total(scores, labels) == pytest.approx(largest_total(scores, quotas), rel=1e-13, abs=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_total_equals_the_assignment_problem_on_hundreds_of_images(kind):
    scores, quotas = make(kind, np.random.default_rng(1), 400, 10)
    labels = transport(scores, quotas)
    np.testing.assert_array_equal(np.bincount(labels, minlength=10), quotas)
    assert total(scores, labels) == pytest.approx(largest_total(scores, quotas), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_no_exchange_along_a_cycle_of_classes_improves_many_images(kind):
    """An assignment is optimal if and only if the classes have no negative cycle (Klein 1967)."""
    scores, quotas = make(kind, np.random.default_rng(2), 30_000, 7)
    labels = transport(scores, quotas)
    np.testing.assert_array_equal(np.bincount(labels, minlength=7), quotas)
    lengths = np.full((7, 7), np.inf)
    for label in np.flatnonzero(quotas):
        own = scores[labels == label]
        lengths[label] = (own[:, label, None] - own).min(axis=0)
    for through in range(7):  # Floyd-Warshall
        lengths = np.minimum(lengths, lengths[:, through, None] + lengths[through])
    assert (np.diag(lengths)[quotas > 0] > -1e-9).all()


def test_scores_are_not_changed():
    scores, quotas = make("uncertain", np.random.default_rng(3), 50, 4)
    before = scores.copy()
    transport(scores, quotas)
    np.testing.assert_array_equal(scores, before)


def test_constants_of_images_and_classes_do_not_change_the_assignment():
    scores, quotas = make("uncertain", np.random.default_rng(4), 200, 5)
    rng = np.random.default_rng(5)
    shifted = scores + 3 * rng.normal(size=(200, 1)) + 3 * rng.normal(size=5)
    np.testing.assert_array_equal(transport(shifted, quotas), transport(scores, quotas))


@pytest.mark.parametrize("temperature", [1.0, 10.0])
@pytest.mark.parametrize("kind", KINDS)
def test_softmax_at_the_prices_adds_up_to_the_quotas(kind, temperature):
    scores, _ = make(kind, np.random.default_rng(6), 300, 4)
    quotas = np.array([20.5, 79.5, 150, 50])
    prices = entropic_prices(scores, quotas, np.zeros(4), temperature, tolerance=1e-3, steps=1000)
    logits = (scores - prices) / temperature
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    sums = (shares / shares.sum(axis=1, keepdims=True)).sum(axis=0)
    np.testing.assert_allclose(sums, quotas, atol=0.01)


def test_search_from_the_solution_takes_no_step():
    scores, _ = make("uncertain", np.random.default_rng(7), 100, 3)
    quotas = np.array([50.0, 30.0, 20.0])
    prices = entropic_prices(scores, quotas, np.zeros(3), 1.0, tolerance=1e-6, steps=100)
    assert entropic_prices(scores, quotas, prices, 1.0, tolerance=1e-5, steps=100) is prices
