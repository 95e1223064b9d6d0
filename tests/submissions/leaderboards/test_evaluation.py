import numpy as np
import pandas as pd
import pytest

from competition.metrics.weighted_accuracy import bootstrap_interval
from competition.utils.errors import InputError
from submissions.leaderboards.evaluation import Evaluation, read_solution, truth_of_test
from submissions.prediction_cache import Predictions

SOLUTION = "fname,camera,manipulation,usage\na.tif,007,unaltered,Public\nb.tif,None,jpeg70,Private\n"


def one(probabilities, names=("p", "p"), manipulations=("unaltered", "jpeg70"), cameras=("x", "y")):
    predicted = Predictions(
        np.array(names), np.array(manipulations) != "unaltered", ("x", "y"), np.float32(probabilities)
    )
    return predicted, pd.DataFrame({"name": names, "camera": cameras, "manipulation": manipulations})


def test_members_and_truth_are_scored_side_by_side():
    predicted, truth = one([[[0.9, 0.1], [0.8, 0.2]], [[0.7, 0.3], [0.6, 0.4]]])
    evaluation = Evaluation({"m": predicted}, truth)
    assert evaluation.y_true.tolist() == [0, 1]
    told = evaluation.scored(evaluation.answers["m"])
    assert (told["unaltered_accuracy"], told["manipulated_accuracy"]) == (1.0, 0.0)
    assert told["interval"] == [0.7, 0.7]  # one photograph: nothing to resample
    assert evaluation.scored(evaluation.answers["m"], np.array([0, 1]))["weighted_accuracy"] == 1.0


def test_a_photograph_seen_twice_is_resampled_as_one():
    names = tuple(f"p{index}" for index in range(20)) * 2
    right = np.tile(np.arange(20) % 4 > 0, 2)
    predicted, truth = one(
        [np.where(right[:, None], [0.9, 0.1], [0.1, 0.9])],
        names,
        ("unaltered",) * 20 + ("jpeg70",) * 20,
        ("x",) * 40,
    )
    evaluation = Evaluation({"m": predicted}, truth)
    flags, answers = evaluation.is_manipulated, (~right).astype(int)
    told = tuple(evaluation.scored(predicted.probabilities[0])["interval"])
    assert told == bootstrap_interval(evaluation.y_true, answers, flags, groups=names)
    assert told != bootstrap_interval(evaluation.y_true, answers, flags)


def test_one_usage_is_scored_alone():
    predicted, truth = one([[[0.9, 0.1], [0.8, 0.2]]], names=("p", "q"))
    evaluation = Evaluation({"m": predicted}, truth.assign(usage=["Public", "Private"]))
    told = {usage: evaluation.scored(predicted.probabilities[0], usage=usage) for usage in ("Public", "Private")}
    assert told["Public"]["weighted_accuracy"] == 1 and told["Public"]["images"] == 1
    assert told["Private"]["weighted_accuracy"] == 0 and told["Private"]["unaltered_accuracy"] is None


def test_the_blend_is_of_averaged_views():
    predicted, truth = one([[[0.9, 0.1], [0.8, 0.2]], [[0.1, 0.9], [0.8, 0.2]]])
    evaluation = Evaluation({"m": predicted, "n": predicted}, truth)
    np.testing.assert_allclose(evaluation.blended("arithmetic"), evaluation.answers["m"])
    np.testing.assert_allclose(evaluation.answers["m"][0], [0.5, 0.5])


def test_what_does_not_fit_together_is_refused():
    predicted, truth = one([[[0.9, 0.1], [0.8, 0.2]]])
    other, _ = one([[[0.9, 0.1], [0.8, 0.2]]], names=("p", "q"))
    with pytest.raises(InputError, match="run predict first"):
        Evaluation({}, truth)
    with pytest.raises(InputError, match="of other images"):
        Evaluation({"m": predicted, "n": other}, truth)
    with pytest.raises(InputError, match="unknown cameras z in the truth; the members know x, y"):
        Evaluation({"m": predicted}, truth.assign(camera="z"))
    with pytest.raises(InputError, match="told other images are manipulated"):
        Evaluation({"m": predicted}, truth.assign(manipulation="jpeg70"))
    with pytest.raises(ValueError, match="lacks the columns camera"):
        Evaluation({"m": predicted}, truth.drop(columns="camera"))


def test_the_solution_is_read_as_text_and_put_in_order(tmp_path):
    assert read_solution(tmp_path) is None
    (tmp_path / "solution.csv").write_text(SOLUTION)
    solution = read_solution(tmp_path)
    assert solution["camera"].tolist() == ["007", "None"]
    truth = truth_of_test(solution, np.array(["b.tif", "a.tif"]))
    assert truth["name"].tolist() == ["b.tif", "a.tif"] and truth["usage"].tolist() == ["Private", "Public"]
    with pytest.raises(InputError, match="other test images"):
        truth_of_test(solution, np.array(["a.tif"]))


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "not a CSV table"),
        ("fname,camera,usage\n", "lacks manipulation"),
        (SOLUTION.replace("b.tif", "a.tif"), "names a file twice"),
        (SOLUTION.replace("Private", "Public"), "usages Public; expected both"),
        (SOLUTION.replace("Private", "private"), "usages Public, private; expected both"),
    ],
)
def test_a_damaged_solution_is_refused(tmp_path, text, message):
    (tmp_path / "solution.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_solution(tmp_path)
