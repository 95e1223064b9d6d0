"""Quotas are kept, `exact` is optimal, `prior` finds class shares, and both parts of a test set are balanced alone."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp

from competition.utils.errors import InputError
from submissions.balancing import (
    METHODS,
    WITH_QUOTAS,
    assign,
    assign_within,
    equal_quotas,
    equal_quotas_within,
    estimate_shares,
)


@st.composite
def cases(draw, most_images=40):
    """Random probabilities (images, classes) and quotas (classes,) that add up, empty classes among them."""
    classes = draw(st.integers(1, 5))
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=1, max_size=most_images))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    probabilities = rng.dirichlet(np.full(classes, 0.5), size=len(labels))
    return probabilities, np.bincount(labels, minlength=classes)


def total(probabilities, labels):
    return np.log(probabilities[np.arange(len(labels)), labels]).sum()


def shifted(rng, shares, images=4000, trained=None):
    """Calibrated probabilities (images, classes) of a classifier trained with other class shares, and the truth."""
    classes = len(shares)
    truth = rng.choice(classes, size=images, p=shares)
    evidence = rng.normal(size=(images, classes)) + 1.5 * np.eye(classes)[truth]
    likelihoods = np.exp(1.5 * evidence)  # of unit normal distributions whose means are 1.5 apart
    probabilities = likelihoods * (np.ones(classes) if trained is None else trained)
    return probabilities / probabilities.sum(axis=1, keepdims=True), truth


@given(cases(), st.sampled_from(WITH_QUOTAS))
def test_quotas_are_kept(case, method):
    probabilities, quotas = case
    labels = assign(probabilities, quotas, method)
    assert labels.shape == probabilities.shape[:1] and labels.dtype.kind == "i"
    np.testing.assert_array_equal(np.bincount(labels, minlength=len(quotas)), quotas)


@given(cases())
def test_none_assigns_the_most_probable_class_and_ignores_quotas(case):
    probabilities, quotas = case
    np.testing.assert_array_equal(assign(probabilities, quotas, "none"), probabilities.argmax(axis=1))
    np.testing.assert_array_equal(assign(probabilities, None, "none"), probabilities.argmax(axis=1))


@given(cases())
def test_quotas_of_the_most_probable_classes_change_nothing(case):
    probabilities, _ = case
    best = probabilities.argmax(axis=1)
    quotas = np.bincount(best, minlength=probabilities.shape[1])
    for method in ("none", *WITH_QUOTAS):
        np.testing.assert_array_equal(assign(probabilities, quotas, method), best)


@settings(max_examples=30, deadline=None)
@given(cases(most_images=12))
def test_exact_equals_an_integer_program(case):
    probabilities, quotas = case
    images, classes = probabilities.shape
    logarithms = np.log(np.maximum(probabilities, 1e-30))
    one_label = np.kron(np.eye(images), np.ones(classes))
    quota = np.kron(np.ones(images), np.eye(classes))
    solved = milp(
        -logarithms.ravel(),
        constraints=[LinearConstraint(one_label, 1, 1), LinearConstraint(quota, quotas, quotas)],
        integrality=1,
        bounds=(0, 1),
    )
    labels = assign(np.maximum(probabilities, 1e-30), quotas, "exact")
    assert total(np.maximum(probabilities, 1e-30), labels) == pytest.approx(-solved.fun, abs=1e-5)


@given(cases(most_images=6))
def test_exact_equals_brute_force(case):
    probabilities, quotas = case
    probabilities = np.maximum(probabilities, 1e-30)
    places = np.repeat(np.arange(len(quotas)), quotas)
    best = max(total(probabilities, order) for order in set(itertools.permutations(places.tolist())))
    assert total(probabilities, assign(probabilities, quotas, "exact")) == pytest.approx(best)


@given(cases())
def test_exact_is_never_below_greedy(case):
    probabilities, quotas = case
    probabilities = np.maximum(probabilities, 1e-30)
    exact, greedy = (total(probabilities, assign(probabilities, quotas, method)) for method in ("exact", "greedy"))
    assert exact >= greedy - 1e-9


def test_greedy_assigns_the_most_probable_pair_first_and_skips_full_classes():
    probabilities = np.array([[0.8, 0.15, 0.05], [0.9, 0.06, 0.04], [0.5, 0.1, 0.4]])
    assert assign(probabilities, [1, 1, 1], "greedy").tolist() == [1, 0, 2]


def test_greedy_can_be_worse_than_exact():
    probabilities = np.array([[0.6, 0.4], [0.59, 0.01]])
    assert assign(probabilities, [1, 1], "greedy").tolist() == [0, 1]
    assert assign(probabilities, [1, 1], "exact").tolist() == [1, 0]


def test_exact_accepts_zero_probabilities():
    assert assign(np.eye(3)[[0, 0, 1]], [1, 1, 1], "exact").tolist() in ([0, 2, 1], [2, 0, 1])


def test_balancing_improves_biased_predictions_of_a_full_competition():
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(10), 264)
    manipulated = np.tile([False, True], 1320)
    biased = 2 * rng.normal(size=10)  # networks prefer some classes, which quotas correct
    probabilities = np.exp(rng.normal(size=(2640, 10)) + 3 * np.eye(10)[truth] + biased)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    quotas = equal_quotas_within(manipulated, 10)
    assert (quotas == 132).all() and quotas.shape == (2, 10)
    for method in ("greedy", "exact"):
        labels = assign_within(probabilities, manipulated, quotas, method)
        for part in (manipulated, ~manipulated):
            assert (np.bincount(labels[part]) == 132).all()
        assert (labels == truth).mean() > (probabilities.argmax(axis=1) == truth).mean()


@pytest.mark.parametrize("method", METHODS)
def test_no_images_have_no_labels(method):
    assert assign(np.empty((0, 3)), [0, 0, 0], method).shape == (0,)


@given(cases())
def test_soft_labels_are_the_most_probable_classes_after_one_factor_per_class(case):
    """So that, of two images in different classes, the first never prefers the class of the second more than it."""
    probabilities, quotas = case
    logarithms = np.log(np.maximum(probabilities, 1e-38))
    labels = assign(probabilities, quotas, "soft")
    assert (quotas[labels] > 0).all()
    own = logarithms[np.arange(len(labels)), labels]
    swapped = logarithms[:, labels]  # of image i in the class of image j
    assert (own[:, None] + own - swapped - swapped.T >= -1e-9).all()


def test_soft_expects_quotas_and_equal_shares_without_them():
    probabilities, truth = shifted(np.random.default_rng(3), [0.5, 0.3, 0.2], trained=[0.2, 0.2, 0.6])
    plain, equal, given_quotas = (
        assign(probabilities, quotas, method)
        for quotas, method in ((None, "none"), (None, "soft"), (np.bincount(truth), "soft"))
    )
    assert (given_quotas == truth).mean() > (plain == truth).mean() + 0.02
    np.testing.assert_array_equal(equal, assign(probabilities, [4000 / 3] * 3, "soft"))
    assert np.abs(np.bincount(given_quotas) - np.bincount(truth)).max() < 200
    assert np.bincount(equal, minlength=3)[2] > np.bincount(given_quotas)[2]


@pytest.mark.parametrize("quotas", [[1.0, 1.0], [-1, 4], [float("nan"), 3.0], [3]])
def test_soft_rejects_quotas_that_do_not_add_up(quotas):
    with pytest.raises(InputError, match="quota"):
        assign(np.full((3, 2), 0.5), quotas, "soft")


def test_shares_of_a_shifted_test_set_are_estimated():
    shares, trained = np.array([0.6, 0.25, 0.1, 0.05]), np.array([1, 1, 2, 4])
    probabilities, truth = shifted(np.random.default_rng(4), shares, trained=trained)
    estimate = estimate_shares(probabilities, trained)
    assert estimate.sum() == pytest.approx(1)
    np.testing.assert_allclose(estimate, np.bincount(truth) / len(truth), atol=0.02)
    plain, adjusted = (assign(probabilities, None, method, trained) for method in ("none", "prior"))
    assert (adjusted == truth).mean() > (plain == truth).mean() + 0.05


def test_estimated_shares_maximize_the_likelihood():
    probabilities, _ = shifted(np.random.default_rng(5), [0.5, 0.3, 0.2], images=300)
    found = estimate_shares(probabilities)
    rng = np.random.default_rng(0)
    others = np.concatenate([rng.dirichlet(np.ones(3), 200), rng.dirichlet(1 + 1000 * found, 200)])
    likelihoods = np.log(probabilities @ np.vstack([found, others]).T).sum(axis=0)
    assert likelihoods[0] >= likelihoods.max() - 1e-3


def test_prior_changes_nothing_where_predictions_are_certain():
    probabilities = np.eye(3)[[0, 0, 0, 1]]
    np.testing.assert_allclose(estimate_shares(probabilities), [0.75, 0.25, 0], atol=1e-12)
    assert assign(probabilities, None, "prior").tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("trained", [[1, 1], [1, 1, 0], [1, 1, -1], [1, 1, np.inf]])
def test_invalid_training_shares_raise(trained):
    with pytest.raises(ValueError, match="expected training shares above 0 for each of 3 classes"):
        assign(np.full((2, 3), 1 / 3), None, "prior", trained)


def test_prior_is_estimated_in_each_part():
    rng = np.random.default_rng(6)
    first, second = (shifted(rng, shares, images=500)[0] for shares in ([0.9, 0.1], [0.1, 0.9]))
    labels = assign_within(np.concatenate([first, second]), np.arange(1000) >= 500, None, "prior")
    np.testing.assert_array_equal(labels[:500], assign(first, None, "prior"))
    np.testing.assert_array_equal(labels[500:], assign(second, None, "prior"))


def test_assign_within_equals_assign_on_each_part():
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.ones(3), size=15)
    manipulated = np.arange(15) % 5 == 0
    quotas = np.array([[4, 4, 4], [2, 0, 1]])
    labels = assign_within(probabilities, manipulated, quotas, "exact")
    np.testing.assert_array_equal(labels[~manipulated], assign(probabilities[~manipulated], quotas[0], "exact"))
    np.testing.assert_array_equal(labels[manipulated], assign(probabilities[manipulated], quotas[1], "exact"))


def test_assign_within_accepts_a_single_part_and_no_quotas():
    rng = np.random.default_rng(2)
    probabilities = rng.dirichlet(np.ones(3), size=6)
    unaltered = np.zeros(6, bool)
    np.testing.assert_array_equal(
        assign_within(probabilities, unaltered, [2, 2, 2], "exact"), assign(probabilities, [2, 2, 2], "exact")
    )
    np.testing.assert_array_equal(assign_within(probabilities, unaltered, None, "none"), probabilities.argmax(axis=1))


@pytest.mark.parametrize("quotas", [[2, 2], [3, 3], [1, 1, 1], [4, -1], [1.5, 1.5], None])
@pytest.mark.parametrize("method", WITH_QUOTAS)
def test_invalid_quotas_raise(quotas, method):
    with pytest.raises(InputError, match="quota"):
        assign(np.full((3, 2), 0.5), quotas, method)


def test_assign_within_rejects_quotas_of_another_shape():
    with pytest.raises(InputError, match="one for each of 2 classes"):
        assign_within(np.full((4, 2), 0.5), [True, False] * 2, [[1, 1]] * 3, "exact")


def test_quotas_must_add_up_in_each_part():
    with pytest.raises(InputError, match="add up to 2, but there are 3 images"):
        assign_within(np.full((4, 2), 0.5), [True, False, False, False], [1, 1], "greedy")


def test_unknown_method_lists_the_known_ones():
    with pytest.raises(InputError, match="'hungarian'; known: none, greedy, exact, soft, prior"):
        assign(np.eye(2), [1, 1], "hungarian")


@pytest.mark.parametrize("values", [np.ones(3), np.full((2, 2), np.nan), np.array([[1.5, -0.5], [1, 0]])])
@pytest.mark.parametrize("method", METHODS)
def test_invalid_probabilities_raise(values, method):
    with pytest.raises(ValueError, match="expected"):
        assign(values, [1, 1], method)


def test_equal_quotas_must_divide():
    assert equal_quotas(1320, 10).tolist() == [132] * 10
    with pytest.raises(
        InputError, match="7 images cannot be shared equally among 3 classes; choose balancing none, soft"
    ):
        equal_quotas(7, 3)
    with pytest.raises(InputError, match="3 images"):
        equal_quotas_within([True] * 3 + [False] * 4, 2)
