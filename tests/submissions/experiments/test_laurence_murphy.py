"""The paper's experiments: their numbers, their tables, and that nothing is trained twice."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from competition.metrics.settings import normalized_accuracy, random_right
from competition.settings import SETTINGS
from competition.utils.errors import InputError
from models.presets.classifier import recipe
from submissions.experiments import run as experimenting
from submissions.experiments.laurence_murphy import EXPERIMENTS, Experiment, Variant, find_experiment
from submissions.experiments.run import Plan, carry_out, in_proportion, is_finished
from submissions.experiments.tables import hits, log_loss, markdown, product_of_marginals, right_by_chance, summary
from submissions.prediction_cache import Predictions, save
from submissions.submit import images

NAMES = tuple(SETTINGS)


def accuracies(variant):
    return [variant.paper[name] / 100 for name in NAMES]


@pytest.mark.parametrize("variant", EXPERIMENTS["bins"].variants, ids=lambda variant: variant.name)
def test_table_4_follows_from_its_own_accuracies(variant):
    """The misprinted 2.43 too, which is 2.33."""
    naa = normalized_accuracy(accuracies(variant), variant.task["bins"])
    assert naa == pytest.approx(variant.paper["naa"], abs=0.006)


def test_a_random_draw_gives_the_papers_shares_of_table_6():
    np.testing.assert_allclose(100 * random_right(3), [29.62, 44.44, 22.22, 3.70], atol=0.02)
    np.testing.assert_allclose(right_by_chance([1 / 3] * 3), random_right(3))


@pytest.mark.parametrize("variant", EXPERIMENTS["output-format"].variants, ids=lambda variant: variant.name)
def test_the_shares_of_table_6_are_whole(variant):
    assert sum(variant.paper.values()) == pytest.approx(100, abs=0.1)


def test_shares_right_by_chance_are_those_of_drawing():
    chance = np.array([0.4, 0.5, 0.7])
    drawn = (np.random.default_rng(0).random((200_000, 3)) < chance).sum(axis=1)
    np.testing.assert_allclose(right_by_chance(chance), np.bincount(drawn) / len(drawn), atol=0.005)


def test_folders_are_plain_and_apart():
    for experiment in EXPERIMENTS.values():
        folders = [variant.folder for variant in experiment.variants]
        assert all(re.fullmatch("[a-z0-9-]+", folder) for folder in folders)
        assert len(set(folders)) == len(folders)
    assert EXPERIMENTS["loss-schedule"].variants[1].folder == "tau-5"


def test_an_unknown_experiment_is_told_the_known_ones():
    with pytest.raises(InputError, match="unknown experiment 'table-2'; known: loss-schedule, training-size"):
        find_experiment("table-2")


@pytest.mark.parametrize(
    ("photos", "names"),
    [
        (60, ["all 60"]),
        (1800, ["100", "500", "1000", "all 1800"]),
        (12000, ["100", "500", "1000", "5000", "12000"]),
    ],
)
def test_training_sizes_that_are_there_and_the_largest(photos, names):
    assert [variant.name for variant in EXPERIMENTS["training-size"].fitting(photos)] == names


def test_tau_keeps_its_share_of_every_training():
    made = in_proportion(recipe("quick", "se_resnet18", "settings"), 20)
    assert made.tau == pytest.approx(made.epochs / 5)
    assert made.stem.tau == pytest.approx(made.stem.epochs / 5)
    assert in_proportion(recipe("paper", "se_resnet18", "settings"), 5).tau == 5


def test_hits_against_a_loop():
    rng = np.random.default_rng(1)
    known, picked = rng.integers(-1, 3, (3, 60)), rng.integers(0, 3, (3, 60))
    found = hits(picked, known, 3)
    for index, name in enumerate(NAMES):
        pairs = [(predicted, true) for predicted, true in zip(picked[index], known[index], strict=True) if true >= 0]
        assert found[name] == pytest.approx(sum(predicted == true for predicted, true in pairs) / len(pairs))
    assert found["naa"] == pytest.approx(np.mean([found[name] for name in NAMES]) * 3)
    whole = [column for column in range(60) if (known[:, column] >= 0).all()]
    right = [sum(picked[:, column] == known[:, column]) for column in whole]
    assert [found[f"right_{count}"] for count in range(4)] == pytest.approx(
        [right.count(count) / len(whole) for count in range(4)]
    )


def test_who_always_says_the_same_is_right_by_chance_in_balanced_accuracy():
    known = np.array([[0, 0, 0, 1, 2]] * 3)
    found = hits(np.zeros_like(known), known, 3)
    assert found["aperture"] == pytest.approx(0.6)
    assert found["balanced"] == pytest.approx(1 / 3)


def test_the_product_of_marginals_is_a_distribution_and_loses_their_sum():
    rng = np.random.default_rng(2)
    predicted = {name: rng.dirichlet(np.ones(3), 20) for name in NAMES}
    truth = {name: rng.integers(0, 3, 20) for name in NAMES}
    joint = product_of_marginals(predicted)
    np.testing.assert_allclose(joint.sum(axis=1), 1)
    cells = np.ravel_multi_index(tuple(truth[name] for name in NAMES), (3, 3, 3))
    assert log_loss(joint, cells) == pytest.approx(sum(log_loss(predicted[name], truth[name]) for name in NAMES))


def long_rows(variant, measure, *values, photos=100):
    return [
        {
            "variant": variant,
            "seed": seed,
            "bins": 3,
            "training_photos": 300,
            "validation_photos": photos,
            "measure": measure,
            "value": value,
        }
        for seed, value in enumerate(values)
    ]


def test_the_summary_puts_the_papers_numbers_beside():
    rows = pd.DataFrame(
        long_rows("τ = 5", "aperture", 0.4, 0.5)
        + long_rows("τ = 5", "loss", 3.0, 3.2)
        + long_rows("random draw (3 bins)", "aperture", 1 / 3)
    )
    table = summary(rows, EXPERIMENTS["loss-schedule"]).set_index(["variant", "measure"])
    assert table.loc[("τ = 5", "aperture"), "measured"] == pytest.approx(0.45)
    assert table.loc[("τ = 5", "aperture"), "paper"] == pytest.approx(0.4241)
    assert table.loc[("τ = 5", "aperture"), "seeds"] == 2
    assert table.loc[("τ = 5", "loss"), "paper"] == pytest.approx(2.9868)
    random = table.loc[("random draw (3 bins)", "aperture")]
    assert random[["low", "high", "paper"]].isna().all()
    told = markdown(table.reset_index(), "Table 2", "Measured on 9 simulated photographs.")
    assert "Measured on 9 simulated photographs." in told
    assert "| 3.100 (2.987) |" in told
    assert "(0.424)" in told
    assert {line.count("|") for line in told.splitlines() if line.startswith("|")} == {4}


def interval(*values, photos=100):
    row = summary(pd.DataFrame(long_rows("τ = 5", "iso", *values, photos=photos)), EXPERIMENTS["loss-schedule"]).iloc[0]
    return row["low"], row["high"]


def test_intervals_cover_what_they_promise():
    """Of shares drawn with a known chance, about 95 % of the intervals hold it."""
    rng = np.random.default_rng(3)
    for chance in (0.1, 0.5):
        shares, times = np.unique(rng.binomial(100, chance, 1000) / 100, return_counts=True)
        low, high = np.array([interval(share) for share in shares]).T
        assert 0.93 <= np.average((low <= chance) & (chance <= high), weights=times) <= 0.99


def test_intervals_know_about_few_photographs_and_scattered_seeds():
    low, high = interval(0.5)
    fewer, scattered, certain = interval(0.5, photos=25), interval(0.3, 0.7), interval(0.0)
    assert fewer[0] < low < high < fewer[1]
    assert scattered[0] < low < high < scattered[1]
    assert certain[0] == 0 < certain[1] < 0.1


@pytest.fixture
def trained(monkeypatch):
    """Puts a guess in the place of every training; the list of the runs that were trained."""
    done = []

    def train(run, member):
        done.append(run.folder.name)

    def predict(run, member):
        targets, table = run.targets, images(run)["validation"]
        rng = np.random.default_rng(run.seed)
        heads = {
            head: rng.dirichlet(np.ones(len(classes)), (1, len(table))).astype(np.float32)
            for head, classes in targets.heads.items()
        }
        for target, predicted in targets.with_marginals(heads).items():
            classes = (targets.heads | targets.answers)[target]
            names = table["path"].to_numpy(dtype=np.str_)
            flags = (table["manipulation"] != "unaltered").to_numpy()
            save(
                Predictions(names, flags, classes, predicted, dihedral=False),
                run.predictions(member, "validation", target),
            )

    monkeypatch.setattr(experimenting, "train_member", train)
    monkeypatch.setattr(experimenting, "predict_member", predict)
    return done


@pytest.fixture
def undrawn(monkeypatch):
    """Leaves the plots out, which take the most time."""
    monkeypatch.setattr(experimenting, "save", lambda figure, path: [])


@pytest.fixture
def plan(settings_folder, tmp_path):
    """A function that plans an experiment on tiny photographs."""
    photos = settings_folder(tmp_path / "photos")

    def make(experiment: Experiment, **more):
        return Plan(experiment, photos, tmp_path / "out", "smoke", "stem", **more)

    return make


def test_what_is_finished_is_not_trained_again(plan, trained, undrawn, capsys):
    planned = plan(EXPERIMENTS["output-format"], seeds=2)
    written = carry_out(planned, jobs=1)
    assert trained == ["independent-0", "correlated-0", "independent-1", "correlated-1"]
    before = {path: path.read_bytes() for path in written if path.suffix in (".csv", ".md")}
    assert carry_out(planned, jobs=1) == written
    assert len(trained) == 4
    assert capsys.readouterr().out.count("done before") == 4
    assert {path: path.read_bytes() for path in before} == before
    lost = planned.runs(jobs=1)[1][1]
    assert is_finished(lost)
    lost.predictions("stem", "validation", "iso").unlink()
    carry_out(planned, jobs=1)
    assert trained[4:] == ["correlated-0"]


def test_the_long_table_has_a_row_for_every_variant_seed_and_measure(plan, trained, tmp_path):
    written = carry_out(plan(EXPERIMENTS["output-format"], seeds=2), jobs=1)
    assert [path.name for path in written] == ["results.csv", "table.md", "plot.png", "plot.svg"]
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
    own = values["independent"]
    np.testing.assert_allclose(
        values["independent, product of its accuracies"][shares], right_by_chance(own[list(NAMES)].to_numpy())
    )
    assert own["joint_log_loss"] == pytest.approx(own["loss"], rel=1e-5)
    table = written[1].read_text()
    assert "Measured on 6 photographs by unknown devices" in table
    assert "(0.122)" in table


def test_baselines_are_of_every_number_of_bins(plan, trained, undrawn):
    experiment = Experiment("bins", (Variant("2 bins", task={"bins": 2}), Variant("3 bins", task={"bins": 3})))
    rows = pd.read_csv(carry_out(plan(experiment), jobs=1)[0])
    values = rows.set_index(["variant", "measure"])["value"]
    assert values["random draw (2 bins)", "iso"] == 0.5
    assert values["random draw (3 bins)", "loss"] == pytest.approx(3 * np.log(3))
    assert values["majority class (2 bins)", "balanced"] <= 0.5 + 1e-9
    assert ("majority class (3 bins)", "iso") in values.index


def test_more_photographs_than_there_are_become_all(plan):
    runs = plan(EXPERIMENTS["training-size"]).runs(jobs=1)
    assert [(variant.name, run.photos, run.folder.name) for variant, run in runs] == [("all 24", None, "all-24-0")]


def test_the_paper_preset_samples_as_the_paper_does(plan):
    experiment = EXPERIMENTS["architecture"]
    (_, plain), (_, squeezed) = replace(plan(experiment), preset="paper").runs(jobs=1)
    assert plain.task.label_balance == squeezed.task.label_balance == "cells"
    assert [*plain.recipes, *squeezed.recipes] == ["resnet18", "se_resnet18"]
    assert plain.recipes["resnet18"].tau == 20
