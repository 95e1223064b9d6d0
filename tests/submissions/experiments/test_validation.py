"""Out-of-fold and private scores are compared on the same run, seed by seed."""

import numpy as np
import pandas as pd
import pytest

from augment.manipulations import MANIPULATIONS, source_size
from competition.virtual.cameras import CAMERAS
from submissions.experiments import validation
from submissions.experiments.validation import COLUMNS, compare_scores, describe_validation, run_validation
from submissions.experiments.virtual_runs import PATCHES_PER_PHOTO, SIZE, small_recipe
from submissions.leaderboards.evaluation import evaluate_test
from submissions.run import open_run


@pytest.fixture
def table(photo_folder, tmp_path, monkeypatch, untraced):
    photos = photo_folder(tmp_path / "photos", test=2)
    monkeypatch.setattr(validation, "small_competition", lambda folder, seed, jobs, size: photos)
    return run_validation(tmp_path / "out", "smoke", "dctnet", seeds=2, jobs=1, folds=2)


def test_every_seed_is_a_run_with_folds_whose_scores_are_compared(table, tmp_path):
    assert list(table.columns) == COLUMNS
    assert table["seed"].tolist() == [0, 1]
    written = pd.read_csv(tmp_path / "out" / "validation.csv")
    np.testing.assert_allclose(written["difference"], table["out_of_fold_score"] - table["private_score"])
    agree = (table["difference_low"] <= 0) & (table["difference_high"] >= 0)
    assert (table["agree"] == agree).all()
    run = open_run(tmp_path / "out" / "run-1")
    assert (run.seed, run.folds) == (1, 2)
    test = evaluate_test(run)
    assert test is not None
    private = test.score(test.members["dctnet"].probabilities[0], usage="Private")
    assert private["images"] == 6
    assert compare_scores(run) == table.iloc[1].drop("seed").to_dict()
    columns, line = describe_validation(table)
    assert columns["agree"] == ["yes" if agrees else "no" for agrees in agree]
    assert f"in {agree.sum()} of 2 virtual competitions" in line


def test_simulated_photos_are_large_enough_for_every_manipulation():
    needed = max(source_size(SIZE.patch, name) for name in MANIPULATIONS)
    assert min(min(camera.native_size(SIZE.scale)) for camera in CAMERAS.values()) >= needed


def test_small_recipes_have_fewer_patches():
    assert small_recipe("quick", "dctnet").patches.patches_per_photo == PATCHES_PER_PHOTO
    assert small_recipe("smoke", "dctnet").patches.patches_per_photo == 1
