"""Predictions beside the truth: what the leaderboard scores."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.metrics.weighted_accuracy import score
from competition.utils.errors import InputError
from competition.utils.tables import read_text_table
from submissions import blending
from submissions.prediction_cache import MEND, Predictions, answer, check_matches

TRUTH_COLUMNS = ["name", "camera", "manipulation"]
SOLUTION_COLUMNS = ["fname", "camera", "manipulation", "usage"]
USAGES = ("Private", "Public")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What every member said of one set of images, beside the truth.

    `truth` has one row per image, in the order of the predictions: name, camera, manipulation, and for a test
    set usage (Private or Public). Images of one name are one photograph, seen unaltered and manipulated.
    InputError where members or truth are of other images or classes, or a camera is none of the classes.
    """

    members: dict[str, Predictions]
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
                raise InputError(f"the predictions were told other images are manipulated than truly are; {MEND}")
        unknown = sorted(set(self.truth["camera"]) - set(self.classes))
        if unknown:
            raise InputError(
                f"unknown cameras {', '.join(unknown[:5])} in the truth; the members know "
                f"{', '.join(self.classes)}; score them on photographs by these cameras"
            )

    @property
    def classes(self) -> tuple[str, ...]:
        return next(iter(self.members.values())).classes

    @cached_property
    def y_true(self) -> NDArray[np.int64]:
        """(images,) indices into `classes`."""
        return pd.Index(self.classes).get_indexer(pd.Index(self.truth["camera"])).astype(np.int64)

    @cached_property
    def is_manipulated(self) -> NDArray[np.bool_]:
        """(images,)"""
        return (self.truth["manipulation"] != "unaltered").to_numpy(dtype=bool)

    @cached_property
    def answers(self) -> dict[str, NDArray[np.float64]]:
        """Of every member (images, classes)."""
        return {name: answer(predicted) for name, predicted in self.members.items()}

    def blended(self, kind: str) -> NDArray[np.float64]:
        """All members in one answer, (images, classes)."""
        return blending.blend(np.stack(list(self.answers.values())), kind)

    def scored(
        self,
        probabilities: NDArray[np.floating],
        labels: NDArray[np.int64] | None = None,
        usage: str | None = None,
    ) -> dict[str, Any]:
        """`competition.metrics.weighted_accuracy.score` of all images, or of those of one usage."""
        of = np.ones(len(self.truth), bool) if usage is None else (self.truth["usage"] == usage).to_numpy(dtype=bool)
        return score(
            probabilities[of],
            self.y_true[of],
            self.is_manipulated[of],
            None if labels is None else labels[of],
            self.truth["name"].to_numpy()[of],
        )


def read_solution(data_folder: Path | str) -> pd.DataFrame | None:
    """`solution.csv` (fname, camera, manipulation, usage), or None where there is none, as on Kaggle."""
    path = Path(data_folder) / "solution.csv"
    if not path.is_file():
        return None
    solution = read_text_table(path, SOLUTION_COLUMNS, "restore it")
    if not solution["fname"].is_unique:
        raise InputError(f"{path} names a file twice; restore it")
    if set(solution["usage"]) != set(USAGES):
        usages = ", ".join(sorted(set(solution["usage"])))
        raise InputError(f"{path} has the usages {usages}; expected both of {', '.join(USAGES)}; restore it")
    return solution


def truth_of_test(solution: pd.DataFrame, names: NDArray[np.str_]) -> pd.DataFrame:
    """The solution in the order of the predicted `names`, as the truth of an `Evaluation`."""
    table = solution.set_index("fname")
    if set(table.index) != set(map(str, names)):
        raise InputError("solution.csv and the predictions are of other test images; run predict again")
    return table.loc[list(map(str, names))].rename_axis("name").reset_index()
