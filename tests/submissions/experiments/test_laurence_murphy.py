"""The experiments hold the numbers of the paper, which are consistent with each other."""

import re

import pytest

from competition.metrics.settings import normalized_accuracy
from competition.settings import SETTINGS
from submissions.experiments.laurence_murphy import EXPERIMENTS


def accuracies(variant):
    return [variant.paper[name] / 100 for name in SETTINGS]


@pytest.mark.parametrize("variant", EXPERIMENTS["bins"].variants, ids=lambda variant: variant.name)
def test_normalized_accuracies_of_table_4_follow_from_its_accuracies(variant):
    # With 2.33 in place of the misprinted 2.43.
    naa = normalized_accuracy(accuracies(variant), variant.task["bins"])
    assert naa == pytest.approx(variant.paper["naa"], abs=0.006)


@pytest.mark.parametrize("variant", EXPERIMENTS["output-format"].variants, ids=lambda variant: variant.name)
def test_shares_of_table_6_sum_to_100_percent(variant):
    assert sum(variant.paper.values()) == pytest.approx(100, abs=0.1)


def test_folder_names_are_ascii_and_different():
    for experiment in EXPERIMENTS.values():
        folders = [variant.folder for variant in experiment.variants]
        assert all(re.fullmatch("[a-z0-9-]+", folder) for folder in folders)
        assert len(set(folders)) == len(folders)
    assert EXPERIMENTS["loss-schedule"].variants[1].folder == "tau-5"


@pytest.mark.parametrize(
    ("photos", "names"),
    [
        (60, ["all 60"]),
        (1800, ["100", "500", "1000", "all 1800"]),
        (12000, ["100", "500", "1000", "5000", "12000"]),
    ],
)
def test_training_sizes_that_the_data_allows(photos, names):
    assert [variant.name for variant in EXPERIMENTS["training-size"].variants_for(photos)] == names
