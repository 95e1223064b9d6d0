import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.metrics.weighted_accuracy import accuracy_table, bootstrap_interval, score, weighted_accuracy

answers = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), min_size=1, max_size=30)


@given(answers)
def test_weighted_accuracy_is_the_written_formula(rows):
    won = sum((0.3 if manipulated else 0.7) * (truth == predicted) for truth, predicted, manipulated in rows)
    possible = sum(0.3 if manipulated else 0.7 for _, _, manipulated in rows)
    assert weighted_accuracy(*zip(*rows, strict=True)) == pytest.approx(won / possible)


def test_weighted_accuracy_by_hand():
    # hits: 0.7 + 0.3 of 0.7 + 0.7 + 0.3 + 0.3
    assert weighted_accuracy(["a", "b", "a", "b"], ["a", "a", "a", "a"], [0, 0, 1, 1]) == pytest.approx(0.5)
    assert weighted_accuracy([1, 1, 1], [1, 0, 0], [False, True, True]) == pytest.approx(0.7 / 1.3)


@given(answers)
def test_all_hits_are_exactly_one(rows):
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
def test_nonsense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        weighted_accuracy(*arguments)


def bernoulli(images, accuracy, seed):
    rng = np.random.default_rng(seed)
    manipulated = np.arange(images) % 2 == 1
    return np.zeros(images, int), (rng.random(images) > accuracy).astype(int), manipulated


def test_interval_holds_the_score_and_is_reproducible():
    case = bernoulli(200, 0.8, seed=1)
    low, high = bootstrap_interval(*case)
    assert low < weighted_accuracy(*case) < high
    assert (low, high) == bootstrap_interval(*case, seed=0)
    assert (low, high) != bootstrap_interval(*case, seed=1)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    covered = [low <= 0.8 <= high for low, high in (bootstrap_interval(*bernoulli(150, 0.8, s)) for s in range(200))]
    assert 0.88 <= np.mean(covered) <= 0.99


def test_interval_agrees_with_resampling_image_by_image():
    truth, predicted, manipulated = bernoulli(120, 0.7, seed=3)
    rng = np.random.default_rng(5)
    parts = [np.flatnonzero(manipulated), np.flatnonzero(~manipulated)]
    drawn = []
    for _ in range(3000):
        chosen = np.concatenate([rng.choice(part, len(part)) for part in parts])
        drawn.append(weighted_accuracy(truth[chosen], predicted[chosen], manipulated[chosen]))
    expected = np.quantile(drawn, [0.025, 0.975])
    assert bootstrap_interval(truth, predicted, manipulated, draws=3000) == pytest.approx(expected, abs=0.012)


def test_the_share_of_manipulated_images_is_not_left_to_chance():
    manipulated = np.arange(20) % 2 == 1
    low, high = bootstrap_interval(np.zeros(20), manipulated, manipulated)  # only the unaltered are hits
    assert low == high == pytest.approx(0.7)


def test_photographs_seen_twice_count_once():
    truth, predicted, _ = bernoulli(100, 0.8, seed=2)
    twice = [np.tile(values, 2) for values in (truth, predicted)]
    manipulated = np.repeat([False, True], 100)
    low, high = bootstrap_interval(*twice, manipulated)
    grouped_low, grouped_high = bootstrap_interval(*twice, manipulated, groups=np.tile(np.arange(100), 2))
    # Copies carry no news: for 0.7 and 0.3 the honest interval is 1 / sqrt(0.7² + 0.3²) = 1.31 times as wide.
    assert (grouped_high - grouped_low) / (high - low) == pytest.approx(1.31, abs=0.15)


def test_grouped_interval_takes_names_of_any_order():
    truth, predicted, manipulated = bernoulli(40, 0.7, seed=4)
    names = np.array([f"photo {index // 2}" for index in range(40)])
    shuffled = np.random.default_rng(0).permutation(40)
    moved = bootstrap_interval(truth[shuffled], predicted[shuffled], manipulated[shuffled], groups=names[shuffled])
    assert bootstrap_interval(truth, predicted, manipulated, groups=names) == moved
    with pytest.raises(ValueError, match="groups"):
        bootstrap_interval(truth, predicted, manipulated, groups=names[:5])


def test_score_tells_everything_in_plain_numbers():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [1.0, 0.0]], np.float32)
    told = score(probabilities, np.array([0, 1, 1, 1]), np.array([False, False, True, True]))
    assert json.loads(json.dumps(told)) == told
    assert list(told) == [
        "weighted_accuracy",
        "unaltered_accuracy",
        "manipulated_accuracy",
        "log_loss",
        "interval",
        "images",
    ]
    assert told["weighted_accuracy"] == told["unaltered_accuracy"] == told["manipulated_accuracy"] == 0.5
    assert told["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.8, 1e-15]).mean(), rel=1e-6)
    assert told["images"] == 4


def test_balanced_answers_replace_the_most_probable():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4]])
    plain = score(probabilities, [0, 1], [False, False])
    balanced = score(probabilities, [0, 1], [False, False], y_pred=[0, 1])
    assert (plain["weighted_accuracy"], balanced["weighted_accuracy"]) == (0.5, 1.0)
    assert plain["log_loss"] == balanced["log_loss"]


def test_an_absent_part_has_no_accuracy():
    told = score(np.eye(2), [0, 1], [False, False])
    assert told["unaltered_accuracy"] == 1.0 and told["manipulated_accuracy"] is None
    assert score(np.eye(2), [0, 1], [True, True])["unaltered_accuracy"] is None


@pytest.mark.parametrize("truth", [[0, 2], [0, -1], [0.0, 1.0], [0], ["a", "b"]])
def test_score_refuses_what_is_no_class_index(truth):
    with pytest.raises(ValueError, match="y_true"):
        score(np.eye(2), truth, [False] * len(truth))


def test_score_refuses_nan():
    with pytest.raises(ValueError, match="NaN"):
        score(np.array([[np.nan, 1.0]]), [0], [False])


def test_accuracy_table_counts_every_cell():
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
