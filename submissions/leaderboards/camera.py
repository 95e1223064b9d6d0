"""The honest leaderboard: every member, view average, blend and balancing, on images no member learned from.

Members are scored without test-time augmentation (view 0) and with it (`member+tta`, all views blended). Blends are
of members with it where they were trained on turned patches, and without it where not. The validation split scores
every entry; where there is a solution, as in the virtual competition, its private and public parts do too, after the
whole test set was answered and balanced blindly.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.utils.errors import InputError
from competition.utils.tables import read_text_table
from submissions import blending
from submissions.balancing import METHODS, assign_within, equal_quotas_within
from submissions.leaderboards.evaluation import Evaluation

FILE_NAME = "leaderboard.csv"
NUMBERS = [
    "weighted_accuracy",
    "low",
    "high",
    "unaltered_accuracy",
    "manipulated_accuracy",
    "log_loss",
    "images",
    "private_weighted_accuracy",
    "private_low",
    "private_high",
    "public_weighted_accuracy",
]
COLUMNS = ["run", "entry", *NUMBERS, "note"]
UNEQUAL_VALIDATION = "not balanced on validation: its cameras have unequal numbers of images"
UNEQUAL_TEST = "not balanced on the test set: its images cannot be shared equally among the cameras"

# Probabilities, and labels where they were balanced.
Answer = tuple[NDArray[np.floating], NDArray[np.int64] | None]


def leaderboard(run: str, validation: Evaluation, test: Evaluation | None = None, note: str = "") -> pd.DataFrame:
    """One row per entry, columns `COLUMNS`; scores that cannot be had are null. `test` has the same members.

    `note` is what a reader must know of these scores (simulated photographs, a validation split that shares
    devices with training); why entries could not be balanced is added to it.
    """
    if test is not None and list(test.members) != list(validation.members):
        raise InputError(
            f"validation has predictions of {', '.join(validation.members)}, the test set of "
            f"{', '.join(test.members)}; run predict again"
        )
    on_validation = _answers(validation, validation_quotas(validation))
    on_test = {} if test is None else _answers(test, blind_quotas(test))
    notes = [note] if note else []
    if validation_quotas(validation) is None:
        notes.append(UNEQUAL_VALIDATION)
    if test is not None and blind_quotas(test) is None:
        notes.append(UNEQUAL_TEST)
    rows = []
    for entry in on_validation | on_test:
        row: dict[str, Any] = {"run": run, "entry": entry, "note": "; ".join(notes)}
        if entry in on_validation:
            row |= validation.scored(*on_validation[entry])
            row["low"], row["high"] = row.pop("interval")
        if test is not None and entry in on_test:
            private, public = (test.scored(*on_test[entry], usage) for usage in ("Private", "Public"))
            row["private_weighted_accuracy"] = private["weighted_accuracy"]
            row["private_low"], row["private_high"] = private["interval"]
            row["public_weighted_accuracy"] = public["weighted_accuracy"]
        rows.append(row)
    return _typed(pd.DataFrame(rows, columns=COLUMNS))


def scores(validation: Evaluation, test: Evaluation | None = None) -> dict[str, Any]:
    """`scores.json`: {"members": {name: parts}, "blend": parts}; parts: {"validation": …[, "private": …]}.

    Members as they enter blends, and the blend `blending.DEFAULT` of them; nothing balanced.
    """

    def parts(name: str | None) -> dict[str, Any]:
        told = {"validation": validation.scored(_unbalanced(validation, name))}
        if test is not None:
            told["private"] = test.scored(_unbalanced(test, name), usage="Private")
        return told

    return {"members": {name: parts(name) for name in validation.members}, "blend": parts(None)}


def validation_quotas(validation: Evaluation) -> NDArray[np.int64] | None:
    """Quotas (2, classes) if every camera has equally many images in either part, else None.

    Equal shares are what a competitor assumes of a test set before seeing any label. An unequal split's own
    counts are read off its labels: balancing by them would tell the answer and promise more than a test set
    can keep; and balancing an unequal split by equal shares would forbid right answers. So such a split
    balances nothing.
    """
    parts = (~validation.is_manipulated, validation.is_manipulated)
    classes = len(validation.classes)
    counts = np.stack([np.bincount(validation.y_true[part], minlength=classes) for part in parts])
    return counts if (counts == counts[:, :1]).all() else None


def blind_quotas(test: Evaluation) -> NDArray[np.int64] | None:
    """Equal shares (2, classes) from the sizes of the two parts alone, or None where they do not divide."""
    manipulated = int(test.is_manipulated.sum())
    sizes = (test.is_manipulated.size - manipulated, manipulated)
    if any(size % len(test.classes) for size in sizes):
        return None
    return equal_quotas_within(test.is_manipulated, len(test.classes))


def compare(runs_folder: Path | str) -> pd.DataFrame:
    """The leaderboards of all runs in a folder as one table, the best validation score first."""
    tables = []
    for path in sorted(Path(runs_folder).glob(f"*/{FILE_NAME}")):
        mend = "delete it and run leaderboard again"
        table = read_text_table(path, COLUMNS, mend)[COLUMNS].assign(run=path.parent.name)
        try:
            tables.append(_typed(table))
        except ValueError as error:
            raise InputError(f"{path} holds a score that is no number ({error}); {mend}") from None
    if not tables:
        raise InputError(f"no run in {runs_folder} has a {FILE_NAME}; train first, for example with `train ensemble`")
    together = pd.concat(tables)
    return together.sort_values("weighted_accuracy", ascending=False, kind="stable", ignore_index=True)


def format_table(table: pd.DataFrame) -> str:
    """Aligned text for a terminal: scores with their 95 % intervals, then each note once."""
    shown = {"run": table["run"].tolist()} if len(set(table["run"])) > 1 else {}
    shown["entry"] = table["entry"].tolist()
    shown["weighted accuracy"] = _with_interval(table, "weighted_accuracy", "low", "high")
    for column in ("unaltered_accuracy", "manipulated_accuracy", "log_loss"):
        heading = column.removesuffix("_accuracy").replace("_", " ")
        shown[heading] = [number(value) for value in table[column]]
    shown["images"] = ["–" if pd.isna(count) else str(count) for count in table["images"]]
    if table["private_weighted_accuracy"].notna().any():
        shown["private"] = _with_interval(table, "private_weighted_accuracy", "private_low", "private_high")
        shown["public"] = [number(value) for value in table["public_weighted_accuracy"]]
    return aligned(shown, table["note"])


def aligned(shown: Mapping[str, Sequence[str]], notes: Iterable[str]) -> str:
    """Columns of cells under their headings, names to the left and numbers to the right; then each note once."""
    columns = []
    for heading, cells in shown.items():
        width = max(map(len, [heading, *cells]))
        pad = str.ljust if heading in ("run", "entry") else str.rjust
        columns.append([pad(cell, width) for cell in (heading, "─" * width, *cells)])
    lines = ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]
    return "\n".join([*lines, *(f"note: {note}" for note in dict.fromkeys(notes) if note)])


def _unbalanced(evaluation: Evaluation, name: str | None) -> NDArray[np.float64]:
    return evaluation.blended(blending.DEFAULT) if name is None else evaluation.answers[name]


def _answers(evaluation: Evaluation, quotas: NDArray[np.int64] | None) -> dict[str, Answer]:
    """What every entry answers. One member has no other blends than itself, one view no average."""
    answers: dict[str, Answer] = {}
    for name, predicted in evaluation.members.items():
        answers[name] = (predicted.probabilities[0], None)
        if len(predicted.probabilities) > 1:
            answers[f"{name}+tta"] = (blending.blend(predicted.probabilities, blending.DEFAULT), None)
    for kind in blending.KINDS if len(evaluation.members) > 1 else [blending.DEFAULT]:
        answers[f"blend {kind}"] = (evaluation.blended(kind), None)
    if quotas is not None:
        blend = evaluation.blended(blending.DEFAULT)
        for method in METHODS[1:]:
            labels = assign_within(blend, evaluation.is_manipulated, quotas, method)
            answers[f"blend {blending.DEFAULT}, {method}"] = (blend, labels)
    return answers


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers as float64 with NaN for missing, images as nullable whole numbers; from None or from text."""
    numbers = {column: pd.to_numeric(table[column]).astype("float64") for column in NUMBERS}
    return table.assign(**numbers).astype({"images": "Int64"})


def number(value: float) -> str:
    """With three digits, or a dash where there is none."""
    return "–" if pd.isna(value) else f"{value:.3f}"


def _with_interval(table: pd.DataFrame, column: str, low: str, high: str) -> list[str]:
    return [
        "–" if pd.isna(value) else f"{value:.3f} [{start:.3f}, {end:.3f}]"
        for value, start, end in zip(table[column], table[low], table[high], strict=True)
    ]
