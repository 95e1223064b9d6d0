"""Which method of balancing helps depends on the shares of the cameras."""

import numpy as np
import pandas as pd
import pytest

from submissions.balancing import METHODS
from submissions.experiments.class_balance import COLUMNS, SHARES, class_balance, describe_class_balance
from submissions.leaderboards.evaluation import Evaluation
from submissions.prediction_cache import Predictions

CLASSES = ("a", "b", "c", "d")
STRONG = "strongly unequal (Dirichlet 5)"


def evaluation(images=400, bias=1.5):
    """Predictions of networks that prefer some cameras."""
    rng = np.random.default_rng(0)
    truth, manipulated = np.arange(images) % 4, np.arange(images) % 8 >= 4
    logits = 1.5 * (rng.normal(size=(images, 4)) + 1.5 * np.eye(4)[truth]) + bias * np.array([1, 0, 0, -1])
    values = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = np.array([f"{number}.tif" for number in range(images)])
    manipulation = np.where(manipulated, "jpeg70", "unaltered")
    table = pd.DataFrame({"name": names, "camera": np.array(CLASSES)[truth], "manipulation": manipulation})
    return Evaluation({"made": Predictions(names, manipulated, CLASSES, values[None].astype(np.float32))}, table)


@pytest.fixture(scope="module")
def table():
    return class_balance(evaluation(), draws=20)


def test_every_method_is_scored_for_all_shares(table):
    assert list(table.columns) == COLUMNS
    assert table["shares"].unique().tolist() == list(SHARES) and set(table["method"]) == set(METHODS)
    assert set(zip(table["method"], table["quotas"], strict=True)) == {
        ("none", ""),
        ("prior", ""),
        *((method, quotas) for method in ("greedy", "exact", "soft") for quotas in ("equal", "true")),
    }
    assert (table["low"] <= table["accuracy"]).all() and (table["accuracy"] <= table["high"]).all()
    plain = table[table["method"] == "none"]
    assert (plain[["gain", "gain_low", "gain_high"]] == 0).to_numpy().all()


def test_equal_quotas_help_where_shares_are_equal_and_true_quotas_everywhere(table):
    gains = table.set_index(["shares", "method", "quotas"])["gain"]
    for method in ("exact", "soft"):
        assert gains["equal", method, "equal"] > 0.02
        assert gains["equal", method, "equal"] == gains["equal", method, "true"]
        assert gains[STRONG, method, "true"] > gains[STRONG, method, "equal"] + 0.02


def test_prior_helps_where_the_training_shares_explain_the_predictions():
    trained = np.exp(1.5 * np.array([1, 0, 0, -1]))
    gains = class_balance(evaluation(), trained, draws=10).set_index(["shares", "method"])["gain"]
    assert gains[STRONG, "prior"] > 0.02


def test_seed_decides_the_draws():
    one, same, other = (class_balance(evaluation(), draws=2, seed=seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(one, same)
    assert not one.equals(other)


def test_description_has_intervals(table):
    described = describe_class_balance(table)
    assert {len(column) for column in described.values()} == {len(table)}
    assert described["gain"][0] == "0.000 [0.000, 0.000]"
