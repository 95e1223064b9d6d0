"""Balanced accuracy beside chance and the majority class, its interval, and the number of correct settings."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, log_loss

from competition.metrics.settings import (
    balanced_accuracy,
    correct_shares,
    mean_accuracy_samples,
    normalized_accuracy,
    random_correct_shares,
    recall_difference,
    recall_interval,
    score_setting,
)
from competition.settings import UNKNOWN


def predicted(images=60, bins=3, seed=0):
    """Probabilities that favor the truth, and a truth with unequal bins."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(bins, images, p=np.arange(1, bins + 1) / np.arange(1, bins + 1).sum())
    logits = rng.normal(size=(images, bins)) + 1.0 * np.eye(bins)[truth]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), truth


def constant(bins, prediction, images):
    return np.tile(np.eye(bins)[prediction], (images, 1))


@pytest.mark.parametrize("bins", [2, 3, 5, 10])
def test_scores_agree_with_scikit_learn(bins):
    probabilities, truth = predicted(200, bins)
    found = score_setting(probabilities, truth)
    found_bins = probabilities.argmax(axis=1)
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, found_bins))
    assert found["accuracy"] == pytest.approx((found_bins == truth).mean())
    assert found["log_loss"] == pytest.approx(log_loss(truth, probabilities, labels=range(bins)))
    assert found["random"] == pytest.approx(1 / bins)
    assert found["images"] == 200


def test_constant_prediction_scores_chance_balanced_accuracy():
    truth = np.repeat([0, 1, 2], [5, 80, 15])
    found = score_setting(constant(3, 1, 100), truth)
    assert found["balanced_accuracy"] == pytest.approx(1 / 3)
    assert found["accuracy"] == found["majority"] == pytest.approx(0.8)


def test_bins_that_do_not_occur_have_no_recall():
    found = score_setting(constant(3, 0, 4), [0, 0, 2, 2])
    assert found["balanced_accuracy"] == pytest.approx(1 / 2)
    assert found["random"] == pytest.approx(1 / 3)


def test_unknown_labels_are_left_out():
    probabilities, truth = predicted()
    hidden = np.where(np.arange(len(truth)) % 3 == 0, UNKNOWN, truth)
    known = hidden != UNKNOWN
    assert score_setting(probabilities, hidden) == score_setting(probabilities[known], truth[known])
    with pytest.raises(ValueError, match="no image has a label"):
        score_setting(probabilities, np.full(len(truth), UNKNOWN))


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=40), st.integers(0, 3))
def test_the_interval_contains_the_score(images, seed):
    truth, correct = (np.array(part) for part in zip(*images, strict=True))
    low, high = recall_interval(correct, truth, seed)
    value = np.mean([correct[truth == name].mean() for name in set(truth.tolist())])
    assert 0 <= low <= value + 1e-9 and value - 1e-9 <= high <= 1


def test_the_interval_shrinks_with_more_images_and_is_one_for_a_perfect_score():
    probabilities, truth = predicted(50)
    widths = []
    for times in (1, 4, 16):
        found = score_setting(np.tile(probabilities, (times, 1)), np.tile(truth, times))
        widths.append(found["high"] - found["low"])
    np.testing.assert_allclose(widths[:2], [2 * width for width in widths[1:]], rtol=0.2)  # one over the root
    perfect = score_setting(np.eye(3)[truth], truth)
    assert (perfect["low"], perfect["balanced_accuracy"], perfect["high"]) == (1, 1, 1)


def test_the_interval_contains_the_true_value_as_often_as_it_claims():
    rng = np.random.default_rng(0)
    truth, recalls = np.repeat([0, 1, 2], [60, 90, 150]), np.array([0.5, 0.7, 0.9])
    inside = 0
    for seed in range(200):
        low, high = recall_interval(rng.random(len(truth)) < recalls[truth], truth, seed)
        inside += low <= recalls.mean() <= high
    assert 0.9 <= inside / 200 <= 0.99


def test_two_images_of_one_photo_count_as_one():
    """A photo seen unaltered and manipulated: the interval is as wide as that of the photos alone."""
    probabilities, truth = predicted(100)
    once = score_setting(probabilities, truth)
    twice, photos = np.repeat(probabilities, 2, axis=0), np.repeat(np.arange(100), 2)
    both = score_setting(twice, np.repeat(truth, 2), groups=photos)
    assert both["balanced_accuracy"] == pytest.approx(once["balanced_accuracy"])
    assert both["high"] - both["low"] == pytest.approx(once["high"] - once["low"], rel=0.15)
    alone = score_setting(twice, np.repeat(truth, 2))
    assert alone["high"] - alone["low"] < 0.85 * (both["high"] - both["low"])


def test_the_same_seed_gives_the_same_interval():
    probabilities, truth = predicted()
    assert score_setting(probabilities, truth, seed=1) == score_setting(probabilities, truth, seed=1)


@pytest.mark.parametrize("bins", [2, 3, 5])
def test_random_correct_shares_agree_with_enumeration(bins):
    """Against counts over all predictions of a fixed truth."""
    draws = np.array(list(itertools.product(range(bins), repeat=3)))
    brute = np.bincount((draws == 0).sum(axis=1), minlength=4) / bins**3
    np.testing.assert_allclose(random_correct_shares(bins), brute)


def test_random_correct_shares_of_three_bins_are_those_of_table_6():
    np.testing.assert_allclose(100 * random_correct_shares(3), [29.63, 44.44, 22.22, 3.70], atol=0.005)


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 3, *[st.integers(-1, 2)] * 3), max_size=20))
def test_correct_shares_agree_with_counting_image_by_image(rows):
    table = np.array(rows, int).reshape(-1, 6).T
    predictions, truth = table[:3], table[3:]
    counts = [sum(a == t for a, t in zip(row[:3], row[3:], strict=True)) for row in rows if UNKNOWN not in row[3:]]
    expected = [counts.count(number) / max(1, len(counts)) for number in range(4)]
    np.testing.assert_allclose(correct_shares(predictions, truth), expected)


@pytest.mark.parametrize(
    ("bins", "accuracies", "expected"),
    [
        (2, [61.52, 61.27, 69.86], 1.28),
        (3, [41.95, 50.67, 57.56], 1.50),
        (5, [25.06, 31.44, 39.25], 1.59),  # 1.596, printed truncated
        (10, [14.05, 21.46, 34.36], 2.33),  # printed 2.43
    ],
)
def test_normalized_accuracy_follows_from_the_numbers_of_table_4(bins, accuracies, expected):
    assert normalized_accuracy(np.array(accuracies) / 100, bins) == pytest.approx(expected, abs=0.007)


def test_bin_error_is_the_mean_distance_to_the_true_bin():
    probabilities = np.eye(3)[[0, 2, 1, 0]]
    assert score_setting(probabilities, [0, 0, 2, UNKNOWN])["bin_error"] == pytest.approx((0 + 2 + 1) / 3)


def test_difference_of_recalls_has_a_paired_interval_that_leaves_unknown_labels_out():
    rng = np.random.default_rng(0)
    truth = rng.integers(-1, 3, 600)
    photos = [f"{number}.jpg" for number in range(600)]
    second = np.where(rng.random(600) < 0.5, truth, (truth + 1) % 3)
    first = np.where(rng.random(600) < 0.3, truth, second)  # never worse
    difference, low, high = recall_difference(truth, first, second, groups=photos)
    known = truth >= 0
    scores = [balanced_accuracy((bins == truth)[known], truth[known]) for bins in (first, second)]
    assert difference == pytest.approx(scores[0] - scores[1])
    assert 0 < low < difference < high
    alone = recall_interval((first == truth)[known], truth[known])
    assert high - low < alone[1] - alone[0]  # what both entries share cancels out


def test_equal_predictions_do_not_differ():
    truth = np.array([0, 1, 2, 0, 1, 2])
    assert recall_difference(truth, truth[::-1], truth[::-1]) == (0, 0, 0)


def test_samples_of_one_setting_agree_with_its_interval():
    probabilities, truth = predicted(400)
    correct = probabilities.argmax(axis=1) == truth
    samples = mean_accuracy_samples(correct[None], truth[None])
    assert samples.mean() == pytest.approx(balanced_accuracy(correct, truth), abs=0.01)
    low, high = recall_interval(correct, truth)
    assert np.quantile(samples, [0.025, 0.975]) == pytest.approx([low, high], abs=0.02)


def test_samples_of_a_setting_and_its_copy_are_those_of_the_setting():
    probabilities, truth = predicted(100)
    correct = probabilities.argmax(axis=1) == truth
    alone, twice = (mean_accuracy_samples(np.stack([correct] * n), np.stack([truth] * n)) for n in (1, 2))
    np.testing.assert_allclose(alone, twice)


def test_two_independent_settings_are_known_better_than_one():
    widths = []
    for seeds in ((0,), (0, 1)):
        found = [predicted(300, seed=seed) for seed in seeds]
        correct = np.stack([probabilities.argmax(axis=1) == truth for probabilities, truth in found])
        low, high = np.quantile(mean_accuracy_samples(correct, np.stack([truth for _, truth in found])), [0.025, 0.975])
        widths.append(high - low)
    assert widths[1] < 0.85 * widths[0]


def test_images_with_an_unknown_label_and_copies_of_a_photo_do_not_change_the_samples():
    probabilities, truth = predicted(80)
    correct = probabilities.argmax(axis=1) == truth
    photos = np.arange(80)
    alone = mean_accuracy_samples(correct[None], truth[None], groups=photos)
    unknown = np.append(truth, np.full(80, UNKNOWN))
    copied = mean_accuracy_samples(np.append(correct, correct)[None], unknown[None], groups=np.tile(photos, 2))
    np.testing.assert_allclose(alone, copied)
