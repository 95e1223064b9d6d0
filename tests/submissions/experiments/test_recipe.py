"""Variants of a recipe are compared with the baseline on the same private images."""

import numpy as np
import pandas as pd
import pytest

from submissions.experiments import recipe
from submissions.experiments.recipe import (
    BASELINE,
    COLUMNS,
    PSEUDO_LABELS,
    VARIANTS,
    compare_variants,
    describe_recipe,
    run_recipe,
    train_variant,
)
from submissions.run import open_run


def predictions(right, photos=20):
    """Predictions of two images of each photo, of which a share is right."""
    rng = np.random.default_rng(0)
    truth = np.arange(2 * photos) % 3
    labels = np.where(rng.random(2 * photos) < right, truth, (truth + 1) % 3)
    values = 0.1 + 0.7 * np.eye(3)[labels]
    columns = {"name": np.arange(2 * photos) // 2, "truth": truth, "is_manipulated": np.arange(2 * photos) % 2 == 1}
    table = pd.DataFrame({**columns, **dict(zip("abc", values.T, strict=True))}).astype({"name": str})
    return pd.concat({0: table})


def test_differences_are_to_the_baseline_and_have_paired_intervals():
    table = compare_variants({BASELINE: predictions(0.6), "better": predictions(0.9), "same": predictions(0.6)})
    assert list(table.columns) == COLUMNS
    better = table.set_index("variant").loc["better"]
    assert better["accuracy_difference_low"] <= better["accuracy_difference"] <= better["accuracy_difference_high"]
    assert better["accuracy_difference"] > 0 > better["log_loss_difference"]
    assert table.set_index("variant").loc["same", COLUMNS[4:]].tolist() == [0.0] * 6
    described = describe_recipe(table)
    assert described["variant"] == [BASELINE, "better", "same"]
    assert described["difference of accuracy"][0] == ""


@pytest.fixture
def small(photo_folder, tmp_path, monkeypatch, untraced):
    photos = photo_folder(tmp_path / "photos", test=2)
    monkeypatch.setattr(recipe, "small_competition", lambda folder, seed, jobs, size: photos)
    monkeypatch.setattr(recipe, "CONFIDENCE", 0.35)
    return photos


def test_variants_are_trained_and_compared_on_every_seed(small, tmp_path, monkeypatch):
    few = {name: VARIANTS[name] for name in (BASELINE, PSEUDO_LABELS)}
    monkeypatch.setattr(recipe, "VARIANTS", few)
    table = run_recipe(tmp_path / "out", "smoke", "dctnet", seeds=1, jobs=1)
    assert table["variant"].tolist() == list(few)
    assert (table["images"] == 6).all()
    student = open_run(tmp_path / "out" / "pseudo-labels-0")
    assert student.pseudo_labels == tmp_path / "out" / "baseline-0"


@pytest.mark.parametrize("variant", [name for name, changes in VARIANTS.items() if changes])
def test_a_variant_changes_one_option(variant, small, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "train_small", lambda run, jobs: run)
    one, other = (train_variant(tmp_path, small, name, "quick", "dctnet", 0, 1) for name in (BASELINE, variant))
    before, after = vars(one.recipes["dctnet"]), vars(other.recipes["dctnet"])
    changed = {name: value for name, value in after.items() if value != before[name]}
    assert changed | ({"folds": other.folds} if other.folds else {}) == VARIANTS[variant]
