"""The table of what calibration does."""

from dataclasses import replace

import numpy as np
import pytest

from competition.metrics.calibration import reliability
from competition.metrics.log_loss import log_losses
from submissions.blending import average_views
from submissions.confidence.calibration import run_temperatures
from submissions.leaderboards.calibration import BLEND, COLUMNS, calibration, format_calibration
from submissions.leaderboards.evaluation import evaluate_validation
from submissions.tasks import CAMERA, Task

MEMBERS = ("mobilenet", "resnet50")


@pytest.fixture
def run(make_run):
    return make_run(Task(CAMERA), MEMBERS, manipulated=True)


@pytest.fixture
def evaluation(run):
    return evaluate_validation(run)


def test_every_member_and_the_blend_have_a_row_for_each_set_of_images(run, evaluation):
    table = calibration(evaluation, evaluation)
    assert list(table.columns) == COLUMNS
    assert table["entry"].tolist() == 2 * [*MEMBERS, BLEND]
    assert table["images"].tolist() == 3 * ["validation"] + 3 * ["test"]
    assert np.isfinite(table.drop(columns=["images", "entry"]).to_numpy(float)).all()
    assert table["temperature_unaltered"][2] == run_temperatures(run).blend[0]


def test_scores_before_calibration_are_those_of_the_cached_predictions(evaluation):
    row = calibration(evaluation).set_index("entry").loc["resnet50"]
    values = average_views(evaluation.members["resnet50"])
    expected = reliability(values.max(axis=1), values.argmax(axis=1) == evaluation.y_true, evaluation.truth["name"])
    assert row["error_before"] == pytest.approx(expected.error)
    assert row["log_loss_before"] == pytest.approx(log_losses(values, evaluation.y_true).mean())


def test_scores_on_the_images_of_the_fit_would_flatter(evaluation):
    """As the test set, the validation images are scored in sample; as validation images, they are not."""
    validation, in_sample = (part for _, part in calibration(evaluation, evaluation).groupby("images", sort=False))
    assert (in_sample["log_loss_after"].to_numpy() < validation["log_loss_after"].to_numpy()).all()


def test_a_single_member_has_no_blend(evaluation):
    alone = replace(evaluation, members={"mobilenet": evaluation.members["mobilenet"]})
    assert calibration(alone)["entry"].tolist() == ["mobilenet"]


def test_the_formatted_table_has_temperatures_and_errors(evaluation):
    table = calibration(evaluation)
    lines = format_calibration(table).splitlines()
    assert len(lines) == 2 + len(table)
    assert lines[0].startswith("images") and "calibration error before" in lines[0]
    assert f"{table['temperature_unaltered'][0]:.2f}, {table['temperature_manipulated'][0]:.2f}" in lines[2]
