import numpy as np
import pandas as pd
import pytest

from submissions.leaderboards.ablation import COLUMNS, ablation, format_ablation
from submissions.leaderboards.evaluation import Evaluation
from submissions.prediction_cache import Predictions

IMAGES = 40
CLASSES = ("x", "y")


def predictions(correct: list[float], views: int = 2) -> Predictions:
    """A member whose views are correct for the first `correct[view]` of the images; the others are wrong."""
    truth = np.arange(IMAGES) % 2
    probabilities = np.empty((views, IMAGES, 2), np.float32)
    for view, share in zip(range(views), correct, strict=True):
        right = np.arange(IMAGES) < share * IMAGES
        probabilities[view] = np.where((np.arange(2) == truth[:, None]) == right[:, None], 0.9, 0.1)
    manipulated = np.arange(IMAGES) // 2 % 2 == 1
    names = np.array([f"{image}" for image in range(IMAGES)])
    return Predictions(names, manipulated, CLASSES, probabilities, use_tta=views > 1)


def evaluation(**members: Predictions) -> Evaluation:
    one = next(iter(members.values()))
    truth = pd.DataFrame(
        {
            "name": one.names,
            "camera": np.array(CLASSES)[np.arange(IMAGES) % 2],
            "manipulation": np.where(one.is_manipulated, "jpeg70", "unaltered"),
        }
    )
    return Evaluation(members, truth)


QUOTAS = np.full((2, 2), IMAGES // 4)


def test_the_steps_come_in_the_order_of_the_pipeline():
    table = ablation(
        "test", evaluation(a=predictions([0.5, 0.75]), b=predictions([0.5], 1)), predictions([0.5], 1), QUOTAS
    )
    assert list(table) == COLUMNS
    steps = ["front end alone", "a", "a, 2 views", "b", "blend", "blend, balanced classes"]
    assert table["step"].tolist() == steps
    assert table["compared_with"].tolist() == [
        "",
        "front end alone",
        "a",
        "front end alone",
        "a, 2 views",
        "blend",
    ]


def test_a_difference_is_that_of_the_two_scores_and_lies_in_its_interval():
    table = ablation("test", evaluation(a=predictions([0.75], 1)), predictions([0.5], 1), None).set_index("step")
    row = table.loc["a"]
    assert row.difference == pytest.approx(row.weighted_accuracy - table.loc["front end alone"].weighted_accuracy)
    assert 0 < row.difference_low < row.difference < row.difference_high
    assert "balanced" not in " ".join(table.index)


def test_a_surer_member_gains_log_loss_without_a_gain_of_accuracy():
    alone, member = predictions([0.75], 1), predictions([0.75], 1)
    right = np.arange(IMAGES) < 0.75 * IMAGES
    member.probabilities[0][right] = np.round(member.probabilities[0][right])
    row = ablation("test", evaluation(a=member), alone, None).set_index("step").loc["a"]
    assert row.difference == 0 and row.log_loss_difference_high < 0
    assert row.log_loss_difference == pytest.approx(0.75 * np.log(0.9), rel=1e-3)


def test_a_step_that_changes_no_prediction_is_worth_exactly_nothing():
    same = predictions([0.75], 1)
    row = ablation("test", evaluation(a=same), same, None).set_index("step").loc["a"]
    assert (row.difference, row.difference_low, row.difference_high) == (0, 0, 0)


def test_a_single_member_has_no_blend_and_no_front_end_is_no_row():
    table = ablation("validation", evaluation(a=predictions([0.75], 1)), None, None)
    assert table["step"].tolist() == ["a"]
    assert "a" in format_ablation(table).splitlines()[2]
