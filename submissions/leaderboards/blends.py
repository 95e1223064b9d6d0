"""Blends that are fitted to the validation images, for leaderboards: scored on images that they were not fitted to."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from competition.metrics.log_loss import log_loss_difference
from competition.metrics.weighted_accuracy import accuracy_difference
from competition.utils.errors import InputError
from competition.utils.tables import format_interval
from submissions.blend_weights import METHODS, fit, nested, photo_groups, stack_members
from submissions.blending import DEFAULT, blend_members
from submissions.leaderboards.evaluation import Evaluation, evaluate_validation
from submissions.prediction_cache import load_members
from submissions.run import FOLD, Run

ByMethod = dict[str, NDArray[np.float64]]  # name of `submissions.blend_weights.METHODS` → probabilities


def nested_blends(validation: Evaluation) -> ByMethod:
    """Blend the validation images by every method, each fitted to the other groups of images: (images, classes).

    Groups are the folds of the run, or else random groups of photos. There are no blends of a single member, or if a
    fit would see no image, and no stacking if it would see one camera only.
    """
    values, groups = stack_members(validation.members), _groups(validation)
    return {
        method: nested(method, values, validation.y_true, validation.is_manipulated, groups)
        for method in _methods(validation)
    }


def fitted_blends(validation: Evaluation, test: Evaluation) -> ByMethod:
    """Blend the test images by every method of `nested_blends`, fitted to all validation images: (images, classes)."""
    values, tested = stack_members(validation.members), stack_members(test.members)
    return {
        method: fit(method, values, validation.y_true, validation.is_manipulated)(tested, test.is_manipulated)
        for method in _methods(validation)
    }


def describe_gain(runs: Sequence[Run], method: str) -> str:
    """Return one line: what a fitted blend gains over the quadratic blend on images that it was not fitted to.

    Raises:
        InputError: the runs have a single member, or too few validation images.
    """
    members = {
        f"{run.folder}: {name}": found for run in runs for name, found in load_members(run, "validation").items()
    }
    evaluation = Evaluation(members, evaluate_validation(runs[0]).truth)
    blended = nested_blends(evaluation).get(method)
    if blended is None:
        raise InputError(f"the gain of --blend {method} needs several members and validation images of several cameras")
    plain, names = blend_members(members), evaluation.truth["name"].to_numpy()
    losses = log_loss_difference(blended, plain, evaluation.y_true, names)
    accuracies = accuracy_difference(
        evaluation.y_true, blended.argmax(axis=1), plain.argmax(axis=1), evaluation.is_manipulated, groups=names
    )
    return (
        f"blend {method} against {DEFAULT}, on validation images that it was not fitted to: weighted accuracy "
        f"{format_interval(*accuracies)}, log loss {format_interval(*losses)} (95 % intervals)"
    )


def _methods(validation: Evaluation) -> list[str]:
    if len(validation.members) < 2:
        return []
    truth, groups = validation.y_true, _groups(validation)
    cameras = min(len(np.unique(truth[groups != group])) for group in np.unique(groups))
    return [method for method in METHODS if cameras > (method == "stacking")]


def _groups(validation: Evaluation) -> NDArray[np.str_]:
    table = validation.truth
    return table[FOLD].to_numpy(np.str_) if FOLD in table else photo_groups(table["name"].to_numpy(np.str_))
