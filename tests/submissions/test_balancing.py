"""Quotas are kept, `exact` is optimal, and the two parts of a test set are balanced separately."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp

from competition.utils.errors import InputError
from submissions.balancing import METHODS, assign, assign_within, equal_quotas, equal_quotas_within


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


@given(cases(), st.sampled_from(["greedy", "exact"]))
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
    for method in METHODS:
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
@pytest.mark.parametrize("method", ["greedy", "exact"])
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
    with pytest.raises(InputError, match="'hungarian'; known: none, greedy, exact"):
        assign(np.eye(2), [1, 1], "hungarian")


@pytest.mark.parametrize("values", [np.ones(3), np.full((2, 2), np.nan), np.array([[1.5, -0.5], [1, 0]])])
@pytest.mark.parametrize("method", METHODS)
def test_invalid_probabilities_raise(values, method):
    with pytest.raises(ValueError, match="expected"):
        assign(values, [1, 1], method)


def test_equal_quotas_must_divide():
    assert equal_quotas(1320, 10).tolist() == [132] * 10
    with pytest.raises(InputError, match="7 images cannot be shared equally among 3 classes; choose"):
        equal_quotas(7, 3)
    with pytest.raises(InputError, match="3 images"):
        equal_quotas_within([True] * 3 + [False] * 4, 2)
