"""Predictions of all members together with the true cameras: the input of the camera leaderboard."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.manipulation import UNALTERED
from competition.metrics.weighted_accuracy import score
from competition.utils.errors import InputError
from submissions.prediction_cache import FIX, Predictions, check_matches, load_members
from submissions.run import Run
from submissions.submission_csv import read_solution

TRUTH_COLUMNS = ["name", "camera", "manipulation"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Camera predictions of every member for one set of images, and the truth.

    Attributes:
        members: predictions by member.
        truth: one row per image in the order of the predictions, with the columns name, camera, manipulation, and for a
            test set usage (Private or Public). Images of one name are one photo, unaltered and manipulated.

    Raises:
        InputError: there are no members, members and truth are for other images or classes, or the truth has a camera
            that is not among the classes.
    """

    members: Mapping[str, Predictions]
    truth: pd.DataFrame

    def __post_init__(self) -> None:
        if not self.members:
            raise InputError("no predictions to score; run predict first")
        missing = [column for column in TRUTH_COLUMNS if column not in self.truth]
        if missing:
            raise ValueError(f"the truth lacks the columns {', '.join(missing)}")
        for member in self.members.values():
            check_matches(member, self.truth["name"].tolist(), self.classes)
            if (member.is_manipulated != self.is_manipulated).any():
                raise InputError(f"the predictions and the truth disagree on which images are manipulated; {FIX}")
        unknown = sorted(set(self.truth["camera"]) - set(self.classes))
        if unknown:
            raise InputError(
                f"the truth has unknown cameras {', '.join(unknown[:5])}; the run was trained on "
                f"{', '.join(self.classes)}; score it on photos by these cameras"
            )

    @property
    def classes(self) -> tuple[str, ...]:
        return next(iter(self.members.values())).classes

    @cached_property
    def y_true(self) -> NDArray[np.int64]:
        """True classes (images,), indices into `classes`."""
        return pd.Index(self.classes).get_indexer(pd.Index(self.truth["camera"])).astype(np.int64)

    @cached_property
    def is_manipulated(self) -> NDArray[np.bool_]:
        """(images,)"""
        return (self.truth["manipulation"] != UNALTERED).to_numpy(dtype=bool)

    def has_usage(self, usage: str) -> bool:
        """Whether some images have this usage."""
        return bool((self.truth["usage"] == usage).any())

    def score(
        self,
        probabilities: NDArray[np.floating],
        labels: NDArray[np.int64] | None = None,
        usage: str | None = None,
    ) -> dict[str, Any]:
        """Apply `competition.metrics.weighted_accuracy.score` to all images, or to those of one usage.

        `probabilities` is (images, classes), `labels` (images,) if they are not the most probable classes.
        """
        part = np.ones(len(self.truth), bool) if usage is None else (self.truth["usage"] == usage).to_numpy(dtype=bool)
        return score(
            probabilities[part],
            self.y_true[part],
            self.is_manipulated[part],
            None if labels is None else labels[part],
            self.truth["name"].to_numpy()[part],
        )


def evaluate_validation(run: Run) -> Evaluation:
    """The cached predictions of a run for its validation images. Raises `InputError` if it has none."""
    return Evaluation(load_members(run, "validation"), run.validation.rename(columns={"path": "name"}))


def evaluate_test(run: Run) -> Evaluation | None:
    """The cached predictions of a run for its test set; None without predictions or without a solution.csv."""
    solution, members = read_solution(run.data), load_members(run, "test")
    if solution is None or not members:
        return None
    members = {member: _by_file_name(predictions) for member, predictions in members.items()}
    return Evaluation(members, truth_of_test(solution, next(iter(members.values())).names))


def truth_of_test(solution: pd.DataFrame, names: NDArray[np.str_]) -> pd.DataFrame:
    """Sort the solution by the predicted file `names`, as the truth of an `Evaluation`."""
    table = solution.set_index("fname")
    if set(table.index) != set(map(str, names)):
        raise InputError("solution.csv and the predictions are for other test images; run predict again")
    return table.loc[list(map(str, names))].rename_axis("name").reset_index()


def _by_file_name(predictions: Predictions) -> Predictions:
    """Test predictions with the file names that solution.csv uses, instead of paths."""
    names = np.array([Path(name).name for name in predictions.names], dtype=np.str_)
    return replace(predictions, names=names)
