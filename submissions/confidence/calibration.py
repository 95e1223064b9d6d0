"""The temperatures of a run: one of every member and one of their blend, for unaltered and for manipulated images.

They are fitted on the predictions for the validation images, which no member was trained on. The members are scaled
first, then their blend, because a mean of calibrated probabilities is less sure than it is correct.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import GroupKFold

from competition.utils.errors import InputError
from submissions.blending import average_views, blend
from submissions.confidence.temperature import fit_temperature, scale
from submissions.prediction_cache import load_members
from submissions.run import Run
from submissions.tasks import CAMERA

FOLDS = 10
FLAGS = (False, True)  # values of `is_manipulated`, in the order of temperatures

Probabilities = NDArray[np.floating]
Pair = tuple[float, float]  # temperatures of unaltered and of manipulated images


@dataclass(frozen=True)
class Temperatures:
    """Temperatures of the predictions of cameras.

    Attributes:
        members: by member, for unaltered and for manipulated images.
        blend: of the blend of the scaled members. (1, 1) for a single member.
    """

    members: Mapping[str, Pair]
    blend: Pair = (1.0, 1.0)

    def scale_members(
        self, members: Mapping[str, Probabilities], is_manipulated: ArrayLike
    ) -> dict[str, NDArray[np.float64]]:
        """Scale the probabilities of each member, (images, classes). `is_manipulated` is boolean (images,)."""
        return {
            member: _scale_by_flag(values, is_manipulated, self.members[member]) for member, values in members.items()
        }

    def blend_members(self, members: Mapping[str, Probabilities], is_manipulated: ArrayLike) -> NDArray[np.float64]:
        """Return the calibrated blend of members: float64 (images, classes). Arguments as of `scale_members`."""
        blended = blend(list(self.scale_members(members, is_manipulated).values()))
        return _scale_by_flag(blended, is_manipulated, self.blend)


def fit_temperatures(
    members: Mapping[str, Probabilities], is_manipulated: ArrayLike, y_true: ArrayLike
) -> Temperatures:
    """Fit the temperatures on images that no member was trained on.

    Args:
        members: probabilities by member, (images, classes), with the views averaged.
        is_manipulated: (images,) bool.
        y_true: class indices, (images,).
    """
    fitted = Temperatures({member: _fit_pair(values, is_manipulated, y_true) for member, values in members.items()})
    if len(members) == 1:
        return fitted
    blended = fitted.blend_members(members, is_manipulated)
    return Temperatures(fitted.members, _fit_pair(blended, is_manipulated, y_true))


def cross_calibrate(
    members: Mapping[str, Probabilities], is_manipulated: ArrayLike, y_true: ArrayLike, groups: ArrayLike
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """Calibrate every image with temperatures that are fitted on other photos: what calibration does to new photos.

    Args:
        members, is_manipulated, y_true: see `fit_temperatures`.
        groups: name of the photo that each image shows, (images,).

    Returns:
        The scaled probabilities by member, and those of the blend, all (images, classes). The images of a single photo
        stay as they are.
    """
    flags, truth, names = np.asarray(is_manipulated), np.asarray(y_true), np.asarray(groups)
    scaled = {member: np.array(values, np.float64) for member, values in members.items()}
    blended = blend(list(scaled.values()))
    folds = min(FOLDS, len(np.unique(names)))
    if folds < 2:
        return scaled, blended
    for known, held_out in GroupKFold(folds).split(truth, groups=names):
        parts = {member: np.asarray(values)[held_out] for member, values in members.items()}
        temperatures = fit_temperatures(
            {member: np.asarray(values)[known] for member, values in members.items()}, flags[known], truth[known]
        )
        for member, values in temperatures.scale_members(parts, flags[held_out]).items():
            scaled[member][held_out] = values
        blended[held_out] = temperatures.blend_members(parts, flags[held_out])
    return scaled, blended


def run_temperatures(run: Run) -> Temperatures:
    """Fit the temperatures of a run on its cached validation predictions.

    Raises:
        InputError: the run does not predict cameras, a member has no predictions, or a file is damaged.
    """
    members = load_members(run, "validation")
    if missing := [member for member in run.entries if member not in members]:
        raise InputError(
            f"the run {run.folder} has no validation predictions of {', '.join(missing)} to calibrate on; "
            f"run predict {run.folder} first"
        )
    flags = next(iter(members.values())).is_manipulated
    averaged = {member: average_views(predictions) for member, predictions in members.items()}
    return fit_temperatures(averaged, flags, run.targets.labels(run.validation)[CAMERA])


def _fit_pair(values: Probabilities, is_manipulated: ArrayLike, y_true: ArrayLike) -> Pair:
    flags, truth = np.asarray(is_manipulated), np.asarray(y_true)
    unaltered, manipulated = (fit_temperature(values[flags == flag], truth[flags == flag]) for flag in FLAGS)
    return unaltered, manipulated


def _scale_by_flag(values: Probabilities, is_manipulated: ArrayLike, pair: Pair) -> NDArray[np.float64]:
    flags, scaled = np.asarray(is_manipulated), np.empty(values.shape, np.float64)
    for flag, temperature in zip(FLAGS, pair, strict=True):
        scaled[flags == flag] = scale(values[flags == flag], temperature)
    return scaled
