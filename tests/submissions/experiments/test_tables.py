"""Measures equal loops over images, and the summary has the numbers of the paper with intervals."""

import numpy as np
import pandas as pd
import pytest

from competition.metrics.settings import random_correct_shares
from competition.settings import SETTINGS
from submissions.experiments.laurence_murphy import EXPERIMENTS
from submissions.experiments.tables import (
    accuracy_measures,
    independent_shares,
    log_loss,
    product_of_marginals,
    summarize,
    summary_page,
)

NAMES = tuple(SETTINGS)


def test_random_draw_gives_the_shares_of_table_6():
    np.testing.assert_allclose(100 * random_correct_shares(3), [29.62, 44.44, 22.22, 3.70], atol=0.02)
    np.testing.assert_allclose(independent_shares([1 / 3] * 3), random_correct_shares(3))


def test_independent_shares_equal_simulated_ones():
    chance = np.array([0.4, 0.5, 0.7])
    drawn = (np.random.default_rng(0).random((200_000, 3)) < chance).sum(axis=1)
    np.testing.assert_allclose(independent_shares(chance), np.bincount(drawn) / len(drawn), atol=0.005)


def test_accuracy_measures_equal_loop_over_images():
    rng = np.random.default_rng(1)
    truth, predicted = rng.integers(-1, 3, (3, 60)), rng.integers(0, 3, (3, 60))
    found = accuracy_measures(predicted, truth, 3)
    for index, name in enumerate(NAMES):
        pairs = [pair for pair in zip(predicted[index], truth[index], strict=True) if pair[1] >= 0]
        assert found[name] == pytest.approx(sum(first == second for first, second in pairs) / len(pairs))
    assert found["naa"] == pytest.approx(np.mean([found[name] for name in NAMES]) * 3)
    labeled = [image for image in range(60) if (truth[:, image] >= 0).all()]
    correct = [sum(predicted[:, image] == truth[:, image]) for image in labeled]
    assert [found[f"right_{count}"] for count in range(4)] == pytest.approx(
        [correct.count(count) / len(labeled) for count in range(4)]
    )


def test_constant_prediction_scores_chance_balanced_accuracy():
    truth = np.array([[0, 0, 0, 1, 2]] * 3)
    found = accuracy_measures(np.zeros_like(truth), truth, 3)
    assert found["aperture"] == pytest.approx(0.6)
    assert found["balanced"] == pytest.approx(1 / 3)


def test_log_loss_of_product_of_marginals_is_sum_of_their_log_losses():
    rng = np.random.default_rng(2)
    probabilities = {name: rng.dirichlet(np.ones(3), 20) for name in NAMES}
    truth = {name: rng.integers(0, 3, 20) for name in NAMES}
    joint = product_of_marginals(probabilities)
    np.testing.assert_allclose(joint.sum(axis=1), 1)
    cells = np.ravel_multi_index(tuple(truth[name] for name in NAMES), (3, 3, 3))
    assert log_loss(joint, cells) == pytest.approx(sum(log_loss(probabilities[name], truth[name]) for name in NAMES))


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


def test_summary_has_the_numbers_of_the_paper():
    rows = pd.DataFrame(
        long_rows("τ = 5", "aperture", 0.4, 0.5)
        + long_rows("τ = 5", "loss", 3.0, 3.2)
        + long_rows("random draw (3 bins)", "aperture", 1 / 3)
    )
    table = summarize(rows, EXPERIMENTS["loss-schedule"]).set_index(["variant", "measure"])
    assert table.loc[("τ = 5", "aperture"), "measured"] == pytest.approx(0.45)
    assert table.loc[("τ = 5", "aperture"), "paper"] == pytest.approx(0.4241)
    assert table.loc[("τ = 5", "aperture"), "seeds"] == 2
    assert table.loc[("τ = 5", "loss"), "paper"] == pytest.approx(2.9868)
    random = table.loc[("random draw (3 bins)", "aperture")]
    assert random[["low", "high", "paper"]].isna().all()
    page = summary_page(table.reset_index(), "Table 2", "Measured on 9 simulated photos.")
    assert "Measured on 9 simulated photos." in page
    assert "| 3.100 (2.987) |" in page
    assert "(0.424)" in page
    assert {line.count("|") for line in page.splitlines() if line.startswith("|")} == {4}


def interval(*values, photos=100):
    row = summarize(pd.DataFrame(long_rows("τ = 5", "iso", *values, photos=photos)), EXPERIMENTS["loss-schedule"]).iloc[
        0
    ]
    return row["low"], row["high"]


def test_interval_covers_the_true_share_in_95_percent_of_draws():
    rng = np.random.default_rng(3)
    for chance in (0.1, 0.5):
        shares, times = np.unique(rng.binomial(100, chance, 1000) / 100, return_counts=True)
        low, high = np.array([interval(share) for share in shares]).T
        assert 0.93 <= np.average((low <= chance) & (chance <= high), weights=times) <= 0.99


def test_interval_is_wider_for_few_photos_and_different_seeds():
    low, high = interval(0.5)
    few_photos, different_seeds, never = interval(0.5, photos=25), interval(0.3, 0.7), interval(0.0)
    assert few_photos[0] < low < high < few_photos[1]
    assert different_seeds[0] < low < high < different_seeds[1]
    assert never[0] == 0 < never[1] < 0.1
