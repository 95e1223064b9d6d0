import numpy as np

from submissions.leaderboards.fingerprints import describe_gain
from submissions.tasks import Task


def test_there_is_no_gain_to_state_without_a_solution(make_run):
    assert list(describe_gain(make_run(Task("camera"), test=6), np.eye(6, dtype=bool))) == []


def test_links_by_different_cameras_are_counted_and_scores_are_stated(make_run):
    run = make_run(Task("camera"), test=6)
    rows = "".join(f"{number}_unalt.tif,{'ab'[number % 2]},unaltered\n" for number in range(6))
    (run.data / "solution.csv").write_text(f"fname,camera,manipulation\n{rows}")
    links = np.eye(6, dtype=bool)
    links[0, 1] = links[1, 0] = links[0, 2] = links[2, 0] = True
    pairs, scores = describe_gain(run, links)
    assert pairs == "2 pairs, 1 of them by different cameras"
    assert "against the blend" in scores


def test_no_links_gain_exactly_nothing(make_run):
    run = make_run(Task("camera"), test=6)
    rows = "".join(f"{number}_unalt.tif,{'ab'[number % 2]},unaltered\n" for number in range(6))
    (run.data / "solution.csv").write_text(f"fname,camera,manipulation\n{rows}")
    assert "against the blend 0.000 [0.000, 0.000]" in list(describe_gain(run, np.eye(6, dtype=bool)))[1]
