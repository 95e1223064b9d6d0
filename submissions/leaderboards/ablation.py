"""What each step of an ensemble is worth: every step beside the one before it, on the same images.

The steps are the front end alone, each member on one view, each member on all of its views, the blend of the members,
and the blend with balanced classes. The differences of two steps, in weighted accuracy and in log loss, have paired
bootstrap intervals: a step whose intervals include zero has not been shown to be worth anything.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.metrics.log_loss import log_loss_difference
from competition.metrics.weighted_accuracy import accuracy_difference
from competition.utils.tables import format_interval, format_number, text_table
from submissions.balancing import assign_within
from submissions.blending import average_views, blend_members
from submissions.leaderboards.evaluation import Evaluation
from submissions.prediction_cache import Predictions

FILE_NAME = "ablation.csv"
BALANCING = "exact"
SCORES = ("weighted_accuracy", "low", "high", "unaltered_accuracy", "manipulated_accuracy")
DIFFERENCE = ("difference", "difference_low", "difference_high")
LOSS_DIFFERENCE = ("log_loss_difference", "log_loss_difference_low", "log_loss_difference_high")
COLUMNS = ["images", "step", *SCORES, "log_loss", "compared_with", *DIFFERENCE, *LOSS_DIFFERENCE]


@dataclass(frozen=True, eq=False)
class Step:
    """One row: its name, the probabilities (images, classes), the labels (images,), and the step to compare with."""

    name: str
    probabilities: NDArray[np.floating]
    labels: NDArray[np.int64]
    compared_with: str | None = None


def ablation(
    images: str,
    evaluation: Evaluation,
    front_end: Predictions | None,
    quotas: NDArray[np.int64] | None,
    blends: Mapping[str, NDArray[np.floating]] | None = None,
) -> pd.DataFrame:
    """Score every step on one set of images: columns `COLUMNS`, differences are null for the first step.

    Args:
        images: name of the set, such as `validation`.
        evaluation: predictions of the members and the truth. Members come in the order of training.
        front_end: predictions of the front end that the members share; None if they share none.
        quotas: of the classes, (2, classes), see `submissions.balancing.assign_within`; None if they are not known.
        blends: probabilities of other blends of the members by name, (images, classes), which were not fitted to these
            images.
    """
    steps = {step.name: step for step in _steps(evaluation, front_end, quotas, blends or {})}
    names = evaluation.truth["name"].to_numpy()
    rows = []
    for step in steps.values():
        scores = evaluation.score(step.probabilities, step.labels)
        scores["low"], scores["high"] = scores["interval"]
        row = {"images": images, "step": step.name, **{name: scores[name] for name in (*SCORES, "log_loss")}}
        row["compared_with"] = step.compared_with or ""
        if step.compared_with is not None:
            other = steps[step.compared_with]
            differences = accuracy_difference(
                evaluation.y_true, step.labels, other.labels, evaluation.is_manipulated, groups=names
            )
            row |= dict(zip(DIFFERENCE, differences, strict=True))
            if step.probabilities is not other.probabilities:  # balancing changes labels only
                losses = log_loss_difference(step.probabilities, other.probabilities, evaluation.y_true, names)
                row |= dict(zip(LOSS_DIFFERENCE, losses, strict=True))
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def format_ablation(table: pd.DataFrame) -> str:
    """Format the table for a terminal."""
    score, low, high = (table[name].to_numpy() for name in SCORES[:3])
    differences, losses = ([table[name].to_numpy() for name in names] for names in (DIFFERENCE, LOSS_DIFFERENCE))
    return text_table(
        {
            "images": table["images"],
            "step": table["step"],
            "weighted accuracy": map(format_interval, score, low, high),
            "unaltered": map(format_number, table["unaltered_accuracy"]),
            "manipulated": map(format_number, table["manipulated_accuracy"]),
            "difference": map(format_interval, *differences),
            "log loss": map(format_number, table["log_loss"]),
            "difference of log loss": map(format_interval, *losses),
            "to": table["compared_with"],
        },
        left=2,
    )


def _steps(
    evaluation: Evaluation,
    front_end: Predictions | None,
    quotas: NDArray[np.int64] | None,
    blends: Mapping[str, NDArray[np.floating]],
) -> Iterator[Step]:
    def step(name: str, probabilities: NDArray[np.floating], compared_with: str | None = None) -> Step:
        return Step(name, probabilities, probabilities.argmax(axis=1), compared_with)

    alone = None if front_end is None else "front end alone"
    if front_end is not None and alone is not None:
        yield step(alone, front_end.probabilities[0])
    by_member = {}
    for member, predictions in evaluation.members.items():
        yield step(member, predictions.probabilities[0], alone)
        by_member[member] = member
        if predictions.use_tta and len(predictions.probabilities) > 1:
            by_member[member] = f"{member}, {len(predictions.probabilities)} views"
            yield step(by_member[member], average_views(predictions), member)
    blended, last = blend_members(evaluation.members), by_member[_best(evaluation)]
    if len(by_member) > 1:
        yield step("blend", blended, last)
        last = "blend"
    for name, probabilities in blends.items():
        yield step(f"blend, {name}", probabilities, "blend")
    if quotas is not None:
        labels = assign_within(blended, evaluation.is_manipulated, quotas, BALANCING)
        yield Step(f"{last}, balanced classes", blended, labels, last)


def _best(evaluation: Evaluation) -> str:
    """The member with the highest score on these images: the one that a blend must beat."""
    scores = {
        member: evaluation.score(average_views(predictions))["weighted_accuracy"]
        for member, predictions in evaluation.members.items()
    }
    return max(scores, key=scores.__getitem__)
