import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.metrics.weighted_accuracy import accuracy_interval, accuracy_table, score, weighted_accuracy

predictions = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), min_size=1, max_size=30)


@given(predictions)
def test_weighted_accuracy_agrees_with_the_formula(rows):
    reached = sum((0.3 if manipulated else 0.7) * (truth == predicted) for truth, predicted, manipulated in rows)
    possible = sum(0.3 if manipulated else 0.7 for _, _, manipulated in rows)
    assert weighted_accuracy(*zip(*rows, strict=True)) == pytest.approx(reached / possible)


def test_weighted_accuracy_by_hand():
    # correct: 0.7 + 0.3 of 0.7 + 0.7 + 0.3 + 0.3
    assert weighted_accuracy(["a", "b", "a", "b"], ["a", "a", "a", "a"], [0, 0, 1, 1]) == pytest.approx(0.5)
    assert weighted_accuracy([1, 1, 1], [1, 0, 0], [False, True, True]) == pytest.approx(0.7 / 1.3)


@given(predictions)
def test_a_perfect_score_is_exactly_one(rows):
    truth, _, manipulated = zip(*rows, strict=True)
    assert weighted_accuracy(truth, truth, manipulated) == 1.0


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([], [], []), "at least 1"),
        (([1, 2], [1], [True, False]), "one length"),
        (([1, 2], [1, 2], [True]), "one length"),
        ((["a"], [0], [True]), "both"),
        (([1], [1], ["unaltered"]), "boolean"),
        (([1], [1], [0.5]), "boolean"),
    ],
)
def test_invalid_arguments_are_rejected(arguments, message):
    with pytest.raises(ValueError, match=message):
        weighted_accuracy(*arguments)


def bernoulli(images, accuracy, seed):
    rng = np.random.default_rng(seed)
    manipulated = np.arange(images) % 2 == 1
    return np.zeros(images, int), (rng.random(images) > accuracy).astype(int), manipulated


def test_the_interval_contains_the_score_and_is_reproducible():
    case = bernoulli(200, 0.8, seed=1)
    low, high = accuracy_interval(*case)
    assert low < weighted_accuracy(*case) < high
    assert (low, high) == accuracy_interval(*case, seed=0)
    assert (low, high) != accuracy_interval(*case, seed=1)


def test_the_interval_contains_the_true_accuracy_as_often_as_it_claims():
    covered = [low <= 0.8 <= high for low, high in (accuracy_interval(*bernoulli(150, 0.8, s)) for s in range(200))]
    assert 0.88 <= np.mean(covered) <= 0.99


def test_the_interval_agrees_with_resampling_image_by_image():
    truth, predicted, manipulated = bernoulli(120, 0.7, seed=3)
    rng = np.random.default_rng(5)
    parts = [np.flatnonzero(manipulated), np.flatnonzero(~manipulated)]
    drawn = []
    for _ in range(3000):
        chosen = np.concatenate([rng.choice(part, len(part)) for part in parts])
        drawn.append(weighted_accuracy(truth[chosen], predicted[chosen], manipulated[chosen]))
    expected = np.quantile(drawn, [0.025, 0.975])
    assert accuracy_interval(truth, predicted, manipulated, draws=3000) == pytest.approx(expected, abs=0.012)


def test_resampling_keeps_the_share_of_manipulated_images():
    manipulated = np.arange(20) % 2 == 1
    low, high = accuracy_interval(np.zeros(20), manipulated, manipulated)  # only the unaltered ones are correct
    assert low == high == pytest.approx(0.7)


def test_photos_seen_twice_count_once():
    truth, predicted, _ = bernoulli(100, 0.8, seed=2)
    truth, predicted = np.tile(truth, 2), np.tile(predicted, 2)
    manipulated = np.repeat([False, True], 100)
    groups = np.tile(np.arange(100), 2)
    low, high = accuracy_interval(truth, predicted, manipulated)
    grouped_low, grouped_high = accuracy_interval(truth, predicted, manipulated, groups=groups)
    # Copies add no information: with the weights 0.7 and 0.3, the grouped interval is 1 / sqrt(0.7² + 0.3²) = 1.31
    # times as wide.
    assert (grouped_high - grouped_low) / (high - low) == pytest.approx(1.31, abs=0.15)


def test_the_grouped_interval_does_not_depend_on_the_order_of_images():
    truth, predicted, manipulated = bernoulli(40, 0.7, seed=4)
    names = np.array([f"photo {index // 2}" for index in range(40)])
    shuffled = np.random.default_rng(0).permutation(40)
    moved = accuracy_interval(truth[shuffled], predicted[shuffled], manipulated[shuffled], groups=names[shuffled])
    assert accuracy_interval(truth, predicted, manipulated, groups=names) == moved
    with pytest.raises(ValueError, match="groups"):
        accuracy_interval(truth, predicted, manipulated, groups=names[:5])


def test_scores_are_plain_numbers():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [1.0, 0.0]], np.float32)
    found = score(probabilities, np.array([0, 1, 1, 1]), np.array([False, False, True, True]))
    assert json.loads(json.dumps(found)) == found
    assert list(found) == [
        "weighted_accuracy",
        "unaltered_accuracy",
        "manipulated_accuracy",
        "log_loss",
        "interval",
        "images",
    ]
    assert found["weighted_accuracy"] == found["unaltered_accuracy"] == found["manipulated_accuracy"] == 0.5
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.8, 1e-15]).mean(), rel=1e-6)
    assert found["images"] == 4


def test_balanced_predictions_replace_the_most_probable():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4]])
    plain = score(probabilities, [0, 1], [False, False])
    balanced = score(probabilities, [0, 1], [False, False], y_pred=[0, 1])
    assert (plain["weighted_accuracy"], balanced["weighted_accuracy"]) == (0.5, 1.0)
    assert plain["log_loss"] == balanced["log_loss"]


def test_a_part_without_images_has_no_accuracy():
    found = score(np.eye(2), [0, 1], [False, False])
    assert found["unaltered_accuracy"] == 1.0 and found["manipulated_accuracy"] is None
    assert score(np.eye(2), [0, 1], [True, True])["unaltered_accuracy"] is None


@pytest.mark.parametrize("truth", [[0, 2], [0, -1], [0.0, 1.0], [0], ["a", "b"]])
def test_invalid_class_indices_are_rejected(truth):
    with pytest.raises(ValueError, match="y_true"):
        score(np.eye(2), truth, [False] * len(truth))


def test_nan_is_rejected():
    with pytest.raises(ValueError, match="NaN"):
        score(np.array([[np.nan, 1.0]]), [0], [False])


def test_the_accuracy_table_has_every_manipulation_and_camera():
    table = accuracy_table(
        [0, 0, 1, 1, 1],
        [0, 1, 1, 1, 0],
        ["unaltered", "unaltered", "jpeg70", "unaltered", "jpeg70"],
        ["x", "y"],
    )
    assert table.to_dict("list") == {
        "manipulation": ["unaltered", "unaltered", "jpeg70"],
        "camera": ["x", "y", "y"],
        "accuracy": [0.5, 1.0, 0.5],
        "images": [2, 1, 2],
    }
