"""What calibration does: expected calibration error and log loss of every member and the blend, before and after.

On the validation images, the temperatures of an image are fitted on other photos, so that the gain is that for new
photos. On a test set with a solution, they are fitted on the validation images.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.metrics.calibration import reliability
from competition.metrics.log_loss import log_losses
from competition.utils.tables import format_interval, text_table
from submissions.blending import average_views, blend_members
from submissions.confidence.calibration import Temperatures, cross_calibrate, fit_temperatures
from submissions.leaderboards.evaluation import Evaluation

FILE_NAME = "calibration.csv"
BLEND = "blend"
MEASURES = ("error", "error_low", "error_high", "log_loss")
COLUMNS = ["images", "entry", "temperature_unaltered", "temperature_manipulated"]
COLUMNS += [f"{name}_{when}" for when in ("before", "after") for name in MEASURES]


def calibration(validation: Evaluation, test: Evaluation | None = None) -> pd.DataFrame:
    """Measure the calibration of the members and of their blend: the columns `COLUMNS`.

    `error` is the expected calibration error, see `competition.metrics.calibration.reliability`. The temperatures are
    those that `predict` uses, fitted on all validation images.

    Args:
        validation, test: predictions and truth; `test` has the same members.
    """
    members, flags = _average_views(validation), validation.is_manipulated
    temperatures = fit_temperatures(members, flags, validation.y_true)
    after = cross_calibrate(members, flags, validation.y_true, validation.truth["name"])
    rows = _rows("validation", validation, temperatures, *after)
    if test is not None:
        members, flags = _average_views(test), test.is_manipulated
        scaled = temperatures.scale_members(members, flags), temperatures.blend_members(members, flags)
        rows += _rows("test", test, temperatures, *scaled)
    return pd.DataFrame(rows, columns=COLUMNS)


def format_calibration(table: pd.DataFrame) -> str:
    """Format the table for a terminal."""
    shown: dict[str, list[object]] = {"images": table["images"].tolist(), "entry": table["entry"].tolist()}
    shown["temperatures"] = [
        f"{unaltered:.2f}, {manipulated:.2f}"
        for unaltered, manipulated in zip(table["temperature_unaltered"], table["temperature_manipulated"], strict=True)
    ]
    for when in ("before", "after"):
        error, low, high = (table[f"{name}_{when}"] for name in MEASURES[:3])
        shown[f"calibration error {when}"] = list(map(format_interval, error, low, high))
    for when in ("before", "after"):
        shown[f"log loss {when}"] = table[f"log_loss_{when}"].tolist()
    return text_table(shown, left=2)


def _average_views(evaluation: Evaluation) -> dict[str, NDArray[np.float64]]:
    return {member: average_views(predictions) for member, predictions in evaluation.members.items()}


def _rows(
    images: str,
    evaluation: Evaluation,
    temperatures: Temperatures,
    scaled: Mapping[str, NDArray[np.float64]],
    blended: NDArray[np.float64],
) -> list[list[object]]:
    """The rows of one set of images, with the probabilities after calibration."""
    entries = {
        member: (temperatures.members[member], before, scaled[member])
        for member, before in _average_views(evaluation).items()
    }
    if len(entries) > 1:
        entries[BLEND] = temperatures.blend, blend_members(evaluation.members), blended
    rows: list[list[object]] = []
    for entry, (pair, *parts) in entries.items():
        measured = [_measure(values, evaluation) for values in parts]
        rows.append([images, entry, *pair, *(part[name] for part in measured for name in MEASURES)])
    return rows


def _measure(probabilities: NDArray[np.float64], evaluation: Evaluation) -> dict[str, float]:
    correct = probabilities.argmax(axis=1) == evaluation.y_true
    found = reliability(probabilities.max(axis=1), correct, evaluation.truth["name"])
    return {
        "error": found.error,
        "error_low": found.error_low,
        "error_high": found.error_high,
        "log_loss": float(log_losses(probabilities, evaluation.y_true).mean()),
    }
