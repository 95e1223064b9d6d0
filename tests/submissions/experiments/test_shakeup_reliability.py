"""Simulated chances are compared with leads on images that they were not simulated from."""

import numpy as np
import pandas as pd
import pytest

from submissions.experiments.shakeup_reliability import (
    COLUMNS,
    describe_reliability,
    lead_reliability,
    observe_leads,
)
from submissions.leaderboards.evaluation import Evaluation
from submissions.prediction_cache import Predictions

IMAGES = 80


def evaluation(skills):
    """Members that are right with the probabilities `skills`, on images of different photos."""
    rng = np.random.default_rng(0)
    truth, flags = np.arange(IMAGES) % 2, np.arange(IMAGES) // 2 % 2 == 1
    names = np.array([f"{number}.tif" for number in range(IMAGES)])
    table = pd.DataFrame({"name": names, "camera": np.array(["a", "b"])[truth]})
    table["manipulation"] = np.where(flags, "jpeg70", "unaltered")
    members = {}
    for name, skill in skills.items():
        labels = np.where(rng.random(IMAGES) < skill, truth, 1 - truth)
        values = (0.1 + 0.8 * np.eye(2)[labels]).astype(np.float32)[None]
        members[name] = Predictions(names, flags, ("a", "b"), values)
    return Evaluation(members, table)


@pytest.fixture(scope="module")
def leads():
    return observe_leads(evaluation({"good": 0.9, "bad": 0.5, "other": 0.6}), solutions=6, draws=200)


def test_every_lead_has_a_chance_and_an_outcome(leads):
    assert list(leads.columns) == COLUMNS
    assert leads["chance"].between(0, 1).all()
    assert set(leads["kept"]) <= {0.0, 0.5, 1.0}
    assert leads.groupby("solution").size().size == 6
    assert not leads.duplicated(["solution", "leader", "other"]).any()


def test_a_much_better_member_keeps_its_lead(leads):
    good = leads[(leads["leader"] == "good") & (leads["other"] == "bad")]
    assert good["chance"].min() > 0.9
    assert good["kept"].mean() == 1


def test_result_depends_on_the_seed_alone():
    members = evaluation({"good": 0.8, "bad": 0.6})
    one, same, other = (observe_leads(members, solutions=3, draws=50, seed=seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(one, same)
    assert not one.equals(other)


def test_bins_are_described(leads):
    diagram = lead_reliability(leads)
    described = describe_reliability(diagram)
    assert [len(column) for column in described.values()] == [len(diagram.confidence)] * 2
