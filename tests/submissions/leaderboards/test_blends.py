"""Fitted blends on the leaderboard are scored on images that they were not fitted to."""

import numpy as np
import pytest

from competition.utils.errors import InputError
from submissions.leaderboards.blends import describe_gain, fitted_blends, nested_blends
from submissions.leaderboards.evaluation import Evaluation, evaluate_validation
from submissions.tasks import Task


@pytest.fixture
def run(make_run):
    return make_run(Task("camera"), manipulated=True, test=4)


def test_every_method_blends_the_images_of_validation_and_test(run):
    validation = evaluate_validation(run)
    nested, fitted = nested_blends(validation), fitted_blends(validation, validation)
    assert list(nested) == list(fitted) == ["optimized", "selection", "stacking"]
    for blended in (*nested.values(), *fitted.values()):
        assert blended.shape == (24, 2)
        np.testing.assert_allclose(blended.sum(axis=1), 1)


def test_folds_are_the_groups_if_there_are_some(run):
    validation = evaluate_validation(run)
    truth = validation.truth.assign(fold=["0"] * 12 + ["1"] * 12)
    folded = nested_blends(Evaluation(validation.members, truth))["optimized"]
    assert (folded != nested_blends(validation)["optimized"]).any()


def test_one_member_has_no_blend(make_run):
    run = make_run(Task("camera"), members=("mobilenet",))
    assert nested_blends(evaluate_validation(run)) == {}
    with pytest.raises(InputError, match="needs several members"):
        describe_gain([run], "optimized")


def test_the_gain_is_one_line_with_intervals(run):
    line = describe_gain([run], "selection")
    assert line.startswith("blend selection against quadratic, on validation images that it was not fitted to")
    assert line.count("[") == 2
    assert "\n" not in line
