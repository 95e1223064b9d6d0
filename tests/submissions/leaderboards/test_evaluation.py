"""Predictions are scored against the matching truth, and rejected against any other."""

import numpy as np
import pandas as pd
import pytest

from competition.metrics.weighted_accuracy import accuracy_interval
from competition.utils.errors import InputError
from submissions.blending import average_views
from submissions.leaderboards.evaluation import Evaluation, truth_of_test
from submissions.prediction_cache import Predictions


def one(probabilities, names=("p", "p"), manipulations=("unaltered", "jpeg70"), cameras=("x", "y")):
    predictions = Predictions(
        np.array(names), np.array(manipulations) != "unaltered", ("x", "y"), np.array(probabilities, np.float32)
    )
    return predictions, pd.DataFrame({"name": names, "camera": cameras, "manipulation": manipulations})


def test_score_compares_predictions_with_the_truth():
    predictions, truth = one([[[0.9, 0.1], [0.8, 0.2]], [[0.7, 0.3], [0.6, 0.4]]])
    evaluation = Evaluation({"m": predictions}, truth)
    assert evaluation.y_true.tolist() == [0, 1]
    scores = evaluation.score(average_views(predictions))
    assert (scores["unaltered_accuracy"], scores["manipulated_accuracy"]) == (1.0, 0.0)
    assert scores["interval"] == [0.7, 0.7]  # resampling a single photo changes nothing
    assert evaluation.score(average_views(predictions), np.array([0, 1]))["weighted_accuracy"] == 1.0


def test_unaltered_and_manipulated_images_of_a_photo_are_resampled_together():
    names = tuple(f"p{index}" for index in range(20)) * 2
    right = np.tile(np.arange(20) % 4 > 0, 2)
    predictions, truth = one(
        [np.where(right[:, None], [0.9, 0.1], [0.1, 0.9])],
        names,
        ("unaltered",) * 20 + ("jpeg70",) * 20,
        ("x",) * 40,
    )
    evaluation = Evaluation({"m": predictions}, truth)
    flags, labels = evaluation.is_manipulated, (~right).astype(int)
    scores = tuple(evaluation.score(predictions.probabilities[0])["interval"])
    assert scores == accuracy_interval(evaluation.y_true, labels, flags, groups=names)
    assert scores != accuracy_interval(evaluation.y_true, labels, flags)


def test_score_of_one_usage_ignores_the_other():
    predictions, truth = one([[[0.9, 0.1], [0.8, 0.2]]], names=("p", "q"))
    evaluation = Evaluation({"m": predictions}, truth.assign(usage=["Public", "Private"]))
    scores = {usage: evaluation.score(predictions.probabilities[0], usage=usage) for usage in ("Public", "Private")}
    assert scores["Public"]["weighted_accuracy"] == 1 and scores["Public"]["images"] == 1
    assert evaluation.has_usage("Public") and not evaluation.has_usage("public")
    assert scores["Private"]["weighted_accuracy"] == 0 and scores["Private"]["unaltered_accuracy"] is None


def test_members_and_truth_that_do_not_match_raise():
    predictions, truth = one([[[0.9, 0.1], [0.8, 0.2]]])
    other, _ = one([[[0.9, 0.1], [0.8, 0.2]]], names=("p", "q"))
    with pytest.raises(InputError, match="run predict first"):
        Evaluation({}, truth)
    with pytest.raises(InputError, match="for other images"):
        Evaluation({"m": predictions, "n": other}, truth)
    with pytest.raises(InputError, match="the truth has unknown cameras z; the run was trained on x, y"):
        Evaluation({"m": predictions}, truth.assign(camera="z"))
    with pytest.raises(InputError, match="disagree on which images are manipulated"):
        Evaluation({"m": predictions}, truth.assign(manipulation="jpeg70"))
    with pytest.raises(ValueError, match="lacks the columns camera"):
        Evaluation({"m": predictions}, truth.drop(columns="camera"))


def test_truth_of_test_follows_the_order_of_the_predictions():
    solution = pd.DataFrame({"fname": ["a.tif", "b.tif"], "camera": ["x", "y"], "usage": ["Public", "Private"]})
    truth = truth_of_test(solution, np.array(["b.tif", "a.tif"]))
    assert truth["name"].tolist() == ["b.tif", "a.tif"] and truth["usage"].tolist() == ["Private", "Public"]
    with pytest.raises(InputError, match="other test images"):
        truth_of_test(solution, np.array(["a.tif"]))
