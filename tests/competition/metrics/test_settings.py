"""Balanced accuracy beside chance and habit, its interval, and how many settings are right."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, log_loss

from competition.metrics.settings import (
    normalized_accuracy,
    random_right,
    recall_interval,
    score_setting,
    settings_right,
)
from competition.settings import UNKNOWN


def predicted(images=60, bins=3, seed=0):
    """Probabilities that lean towards the truth, and a truth with unequal bins."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(bins, images, p=np.arange(1, bins + 1) / np.arange(1, bins + 1).sum())
    logits = rng.normal(size=(images, bins)) + 1.0 * np.eye(bins)[truth]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), truth


def constant(bins, answer, images):
    return np.tile(np.eye(bins)[answer], (images, 1))


@pytest.mark.parametrize("bins", [2, 3, 5, 10])
def test_scores_are_those_of_scikit_learn(bins):
    probabilities, truth = predicted(200, bins)
    found = score_setting(probabilities, truth)
    answers = probabilities.argmax(axis=1)
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, answers))
    assert found["accuracy"] == pytest.approx((answers == truth).mean())
    assert found["log_loss"] == pytest.approx(log_loss(truth, probabilities, labels=range(bins)))
    assert found["random"] == pytest.approx(1 / bins)
    assert found["images"] == 200


def test_answering_the_most_frequent_bin_is_chance_however_frequent_it_is():
    truth = np.repeat([0, 1, 2], [5, 80, 15])
    found = score_setting(constant(3, 1, 100), truth)
    assert found["balanced_accuracy"] == pytest.approx(1 / 3)
    assert found["accuracy"] == found["majority"] == pytest.approx(0.8)


def test_bins_that_do_not_occur_have_no_recall():
    found = score_setting(constant(3, 0, 4), [0, 0, 2, 2])
    assert found["balanced_accuracy"] == pytest.approx(1 / 2)
    assert found["random"] == pytest.approx(1 / 3)


def test_unknown_labels_take_no_part():
    probabilities, truth = predicted()
    hidden = np.where(np.arange(len(truth)) % 3 == 0, UNKNOWN, truth)
    known = hidden != UNKNOWN
    assert score_setting(probabilities, hidden) == score_setting(probabilities[known], truth[known])
    with pytest.raises(ValueError, match="no image has a label"):
        score_setting(probabilities, np.full(len(truth), UNKNOWN))


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=40), st.integers(0, 3))
def test_the_interval_holds_the_value(images, seed):
    truth, hits = (np.array(part) for part in zip(*images, strict=True))
    low, high = recall_interval(hits, truth, seed)
    value = np.mean([hits[truth == name].mean() for name in set(truth.tolist())])
    assert 0 <= low <= value + 1e-9 and value - 1e-9 <= high <= 1


def test_the_interval_shrinks_with_the_images_and_ends_in_a_perfect_score():
    probabilities, truth = predicted(50)
    widths = []
    for times in (1, 4, 16):
        found = score_setting(np.tile(probabilities, (times, 1)), np.tile(truth, times))
        widths.append(found["high"] - found["low"])
    np.testing.assert_allclose(widths[:2], [2 * width for width in widths[1:]], rtol=0.2)  # one over the root
    perfect = score_setting(np.eye(3)[truth], truth)
    assert (perfect["low"], perfect["balanced_accuracy"], perfect["high"]) == (1, 1, 1)


def test_the_interval_holds_the_truth_of_the_population_as_often_as_it_says():
    rng = np.random.default_rng(0)
    truth, recalls = np.repeat([0, 1, 2], [60, 90, 150]), np.array([0.5, 0.7, 0.9])
    inside = 0
    for seed in range(200):
        low, high = recall_interval(rng.random(len(truth)) < recalls[truth], truth, seed)
        inside += low <= recalls.mean() <= high
    assert 0.9 <= inside / 200 <= 0.99


def test_two_images_of_one_photograph_tell_no_more_than_one():
    """A photograph seen unaltered and manipulated: the interval is that of the photographs."""
    probabilities, truth = predicted(100)
    once = score_setting(probabilities, truth)
    twice, photographs = np.repeat(probabilities, 2, axis=0), np.repeat(np.arange(100), 2)
    both = score_setting(twice, np.repeat(truth, 2), photographs=photographs)
    assert both["balanced_accuracy"] == pytest.approx(once["balanced_accuracy"])
    assert both["high"] - both["low"] == pytest.approx(once["high"] - once["low"], rel=0.15)
    alone = score_setting(twice, np.repeat(truth, 2))
    assert alone["high"] - alone["low"] < 0.85 * (both["high"] - both["low"])


def test_the_same_seed_gives_the_same_interval():
    probabilities, truth = predicted()
    assert score_setting(probabilities, truth, seed=1) == score_setting(probabilities, truth, seed=1)


@pytest.mark.parametrize("bins", [2, 3, 5])
def test_a_random_draw_has_so_many_right(bins):
    """Against the count over every draw and a fixed truth."""
    draws = np.array(list(itertools.product(range(bins), repeat=3)))
    brute = np.bincount((draws == 0).sum(axis=1), minlength=4) / bins**3
    np.testing.assert_allclose(random_right(bins), brute)


def test_a_random_draw_from_three_bins_is_that_of_table_6():
    np.testing.assert_allclose(100 * random_right(3), [29.63, 44.44, 22.22, 3.70], atol=0.005)


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 3, *[st.integers(-1, 2)] * 3), max_size=20))
def test_settings_right_are_counted_one_photograph_at_a_time(rows):
    table = np.array(rows, int).reshape(-1, 6).T
    answers, truth = table[:3], table[3:]
    counts = [sum(a == t for a, t in zip(row[:3], row[3:], strict=True)) for row in rows if UNKNOWN not in row[3:]]
    expected = [counts.count(right) / max(1, len(counts)) for right in range(4)]
    np.testing.assert_allclose(settings_right(answers, truth), expected)


@pytest.mark.parametrize(
    ("bins", "accuracies", "expected"),
    [
        (2, [61.52, 61.27, 69.86], 1.28),
        (3, [41.95, 50.67, 57.56], 1.50),
        (5, [25.06, 31.44, 39.25], 1.59),  # 1.596, and printed cut off
        (10, [14.05, 21.46, 34.36], 2.33),  # printed 2.43
    ],
)
def test_the_normalised_accuracy_is_what_the_numbers_of_table_4_give(bins, accuracies, expected):
    assert normalized_accuracy(np.array(accuracies) / 100, bins) == pytest.approx(expected, abs=0.007)
