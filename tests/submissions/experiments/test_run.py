"""Every variant and seed is one run, finished runs are kept, and results have every measure."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from competition.settings import SETTINGS
from models.presets import classifier_recipe
from submissions.experiments import run as run_module
from submissions.experiments.laurence_murphy import EXPERIMENTS, Experiment, Variant
from submissions.experiments.run import Plan, is_finished, run_experiment, scale_tau
from submissions.experiments.tables import independent_shares
from submissions.prediction_cache import Predictions, save

NAMES = tuple(SETTINGS)


def test_tau_is_scaled_to_the_epochs_of_the_recipe():
    scaled = scale_tau(classifier_recipe("quick", "se_resnet18", "settings"), 20)
    assert scaled.tau == pytest.approx(scaled.epochs / 5)
    assert scaled.front_end_recipe is not None
    assert scaled.front_end_recipe.tau == pytest.approx(scaled.front_end_recipe.epochs / 5)
    assert scale_tau(classifier_recipe("paper", "se_resnet18", "settings"), 5).tau == 5


@pytest.fixture
def trained(monkeypatch):
    """Replaces training by random predictions; returns the list of the runs that were trained."""
    trained_runs = []

    def train(run, member):
        trained_runs.append(run.folder.name)

    def predict(run, member):
        targets, table = run.targets, run.images["validation"]
        rng = np.random.default_rng(run.seed)
        heads = {
            head: rng.dirichlet(np.ones(len(classes)), (1, len(table))).astype(np.float32)
            for head, classes in targets.heads.items()
        }
        for head, probabilities in targets.with_marginals(heads).items():
            classes = targets.all_heads[head]
            names = table["path"].to_numpy(dtype=np.str_)
            flags = (table["manipulation"] != "unaltered").to_numpy()
            save(
                Predictions(names, flags, classes, probabilities, use_tta=False),
                run.predictions_file(member, "validation", head),
            )

    monkeypatch.setattr(run_module, "train_member", train)
    monkeypatch.setattr(run_module, "predict_member", predict)
    return trained_runs


@pytest.fixture
def without_plot(monkeypatch):
    """Skips the plot, which takes the most time."""
    monkeypatch.setattr(run_module, "save_figure", lambda figure, path: [])


@pytest.fixture
def plan(settings_folder, tmp_path):
    """Makes the plan of an experiment on tiny photos."""
    photos = settings_folder(tmp_path / "photos")

    def make(experiment: Experiment, **more):
        return Plan(experiment, photos, tmp_path / "out", "smoke", "statnet", **more)

    return make


def test_finished_runs_are_not_trained_again(plan, trained, without_plot, capsys):
    planned = plan(EXPERIMENTS["output-format"], seeds=2)
    written = run_experiment(planned, jobs=1)
    assert trained == ["independent-0", "correlated-0", "independent-1", "correlated-1"]
    before = {path: path.read_bytes() for path in written if path.suffix in (".csv", ".md")}
    assert run_experiment(planned, jobs=1) == written
    assert len(trained) == 4
    assert capsys.readouterr().out.count("already finished") == 4
    assert {path: path.read_bytes() for path in before} == before
    lost = planned.runs(jobs=1)[1][1]
    assert is_finished(lost)
    lost.predictions_file("statnet", "validation", "iso").unlink()
    run_experiment(planned, jobs=1)
    assert trained[4:] == ["correlated-0"]


def test_results_have_a_row_for_every_variant_seed_and_measure(plan, trained, tmp_path):
    written = run_experiment(plan(EXPERIMENTS["output-format"], seeds=2), jobs=1)
    assert [path.name for path in written] == ["results.csv", "table.csv", "table.md", "plot.png", "plot.svg"]
    assert not list(tmp_path.rglob("*partial*"))
    rows = pd.read_csv(written[0])
    assert not rows.duplicated(["variant", "seed", "measure"]).any()
    assert list(rows["variant"].unique()) == [
        "independent",
        "independent, product of its accuracies",
        "correlated",
        "correlated, most probable bins",
        "random draw (3 bins)",
        "majority class (3 bins)",
    ]
    values = rows[rows["seed"] == 0].set_index(["variant", "measure"])["value"]
    shares = [f"right_{count}" for count in range(4)]
    for variant in rows["variant"].unique():
        assert values[variant][shares].sum() == pytest.approx(1)
    independent = values["independent"]
    np.testing.assert_allclose(
        values["independent, product of its accuracies"][shares],
        independent_shares(independent[list(NAMES)].to_numpy()),
    )
    assert independent["joint_log_loss"] == pytest.approx(independent["loss"], rel=1e-5)
    assert set(pd.read_csv(written[1])["variant"]) == set(rows["variant"])
    table = written[2].read_text()
    assert "Measured on 6 photos by unknown devices" in table
    assert "(0.122)" in table


def test_baselines_exist_for_every_number_of_bins(plan, trained, without_plot):
    experiment = Experiment("bins", (Variant("2 bins", task={"bins": 2}), Variant("3 bins", task={"bins": 3})))
    rows = pd.read_csv(run_experiment(plan(experiment), jobs=1)[0])
    values = rows.set_index(["variant", "measure"])["value"]
    assert values["random draw (2 bins)", "iso"] == 0.5
    assert values["random draw (3 bins)", "loss"] == pytest.approx(3 * np.log(3))
    assert values["majority class (2 bins)", "balanced"] <= 0.5 + 1e-9
    assert ("majority class (3 bins)", "iso") in values.index


def test_training_sizes_above_the_number_of_photos_become_one_variant(plan):
    runs = plan(EXPERIMENTS["training-size"]).runs(jobs=1)
    assert [(variant.name, run.photos, run.folder.name) for variant, run in runs] == [("all 24", None, "all-24-0")]


def test_paper_preset_balances_cells(plan):
    experiment = EXPERIMENTS["architecture"]
    (_, plain), (_, squeezed) = replace(plan(experiment), preset="paper").runs(jobs=1)
    assert plain.task.label_balance == squeezed.task.label_balance == "cells"
    assert [*plain.recipes, *squeezed.recipes] == ["resnet18", "se_resnet18"]
    assert plain.recipes["resnet18"].tau == 20
