"""The camera leaderboard: a row for every member, view average, blend and balancing, on images not used in training.

A member is scored on view 0 and with test-time augmentation (`member+tta`, the blend of all views). Blends average
the views of the members that were trained on dihedral transforms. Every entry is scored on the validation split. If
there is a solution, as in the virtual competition, it is also scored on the private and public parts, after the
complete test set was predicted and balanced without labels.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.utils.errors import InputError
from competition.utils.tables import MISSING, format_interval, format_number, read_text_table, text_table
from submissions.balancing import WITH_QUOTAS, assign_within, equal_quotas_within
from submissions.blending import DEFAULT, KINDS, average_views, blend, blend_members
from submissions.leaderboards.blends import fitted_blends, nested_blends
from submissions.leaderboards.evaluation import Evaluation
from submissions.prediction_cache import Predictions
from submissions.submission_csv import PRIVATE, PUBLIC

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

# Probabilities (images, classes), and labels (images,) if they were balanced.
Entry = tuple[NDArray[np.floating], NDArray[np.int64] | None]


def leaderboard(run: str, validation: Evaluation, test: Evaluation | None = None, note: str = "") -> pd.DataFrame:
    """Score every entry: one row each with the columns `COLUMNS`; scores that cannot be measured are null.

    Args:
        run: name of the run.
        validation, test: predictions and truth; `test` has the same members.
        note: what a reader must know of these scores (simulated photos, a validation split that shares devices with
            training). The reason why an entry could not be balanced is added to it.

    Raises:
        InputError: `test` has other members than `validation`.
    """
    if test is not None and list(test.members) != list(validation.members):
        raise InputError(
            f"validation has predictions of {', '.join(validation.members)}, the test set of "
            f"{', '.join(test.members)}; run predict again"
        )
    on_validation = validation_entries(validation)
    on_test: dict[str, Entry] = {}
    if test is not None:
        on_test = entries(test, blind_quotas(test)) | _fitted(fitted_blends(validation, test))
    notes = [note] if note else []
    if validation_quotas(validation) is None:
        notes.append(UNEQUAL_VALIDATION)
    if test is not None and blind_quotas(test) is None:
        notes.append(UNEQUAL_TEST)
    rows = []
    for entry in on_validation | on_test:
        row: dict[str, Any] = {"run": run, "entry": entry, "note": "; ".join(notes)}
        if entry in on_validation:
            row |= validation.score(*on_validation[entry])
            row["low"], row["high"] = row.pop("interval")
        if test is not None and entry in on_test:
            private = test.score(*on_test[entry], PRIVATE)
            row["private_weighted_accuracy"] = private["weighted_accuracy"]
            row["private_low"], row["private_high"] = private["interval"]
            if test.has_usage(PUBLIC):
                row["public_weighted_accuracy"] = test.score(*on_test[entry], PUBLIC)["weighted_accuracy"]
        rows.append(row)
    return _typed(pd.DataFrame(rows, columns=COLUMNS))


def scores(validation: Evaluation, test: Evaluation | None = None) -> dict[str, Any]:
    """The contents of scores.json, {"members": {name: parts}, "blend": parts}.

    `parts` is {"validation": scores} and, with a test set, "private": scores. Members are scored as they enter the
    blend, and the blend is the default one. Nothing is balanced.
    """

    def parts(member: str | None) -> dict[str, Any]:
        def probabilities(members: Mapping[str, Predictions]) -> NDArray[np.float64]:
            return blend_members(members) if member is None else average_views(members[member])

        found = {"validation": validation.score(probabilities(validation.members))}
        if test is not None:
            found["private"] = test.score(probabilities(test.members), usage=PRIVATE)
        return found

    return {"members": {member: parts(member) for member in validation.members}, "blend": parts(None)}


def validation_quotas(validation: Evaluation) -> NDArray[np.int64] | None:
    """Quotas (2, classes) for balancing the validation split, or None if its cameras have unequal numbers of images.

    Equal shares are what a competitor assumes of a test set before seeing any label. The counts of an unequal split are
    known only from its labels: balancing by them would leak the labels, and balancing by equal shares would exclude
    right predictions. Such a split is not balanced.
    """
    parts = (~validation.is_manipulated, validation.is_manipulated)
    classes = len(validation.classes)
    counts = np.stack([np.bincount(validation.y_true[part], minlength=classes) for part in parts])
    return counts if (counts == counts[:, :1]).all() else None


def blind_quotas(test: Evaluation) -> NDArray[np.int64] | None:
    """Equal quotas (2, classes) from the numbers of unaltered and manipulated images, or None if they do not divide."""
    classes, manipulated = len(test.classes), int(test.is_manipulated.sum())
    if manipulated % classes or (test.is_manipulated.size - manipulated) % classes:
        return None
    return equal_quotas_within(test.is_manipulated, classes)


def compare_camera(runs_folder: Path | str) -> pd.DataFrame:
    """Read the leaderboards of all runs in a folder into one table, the best validation score first.

    Raises:
        InputError: a leaderboard.csv is damaged, or there is none.
    """
    tables = []
    for path in sorted(Path(runs_folder).glob(f"*/{FILE_NAME}")):
        fix = "delete it and run predict RUN again"
        table = read_text_table(path, COLUMNS, fix)[COLUMNS].assign(run=path.parent.name)
        try:
            tables.append(_typed(table))
        except ValueError as error:
            raise InputError(f"{path} has a score that is not a number ({error}); {fix}") from None
    if not tables:
        raise InputError(f"no run in {runs_folder} has a {FILE_NAME}; train first, for example with `train ensemble`")
    together = pd.concat(tables)
    return together.sort_values("weighted_accuracy", ascending=False, kind="stable", ignore_index=True)


def format_table(table: pd.DataFrame) -> str:
    """Format the leaderboard for a terminal: scores with their 95 % intervals, then each note once."""
    shown = {"run": table["run"].tolist()} if len(set(table["run"])) > 1 else {}
    shown["entry"] = table["entry"].tolist()
    shown["weighted accuracy"] = _with_interval(table, "weighted_accuracy", "low", "high")
    for column in ("unaltered_accuracy", "manipulated_accuracy", "log_loss"):
        heading = column.removesuffix("_accuracy").replace("_", " ")
        shown[heading] = list(map(format_number, table[column]))
    shown["images"] = [MISSING if pd.isna(count) else str(count) for count in table["images"]]
    if table["private_weighted_accuracy"].notna().any():
        shown["private"] = _with_interval(table, "private_weighted_accuracy", "private_low", "private_high")
    if table["public_weighted_accuracy"].notna().any():
        shown["public"] = list(map(format_number, table["public_weighted_accuracy"]))
    return text_table(shown, table["note"], left=list(shown).index("entry") + 1)


def validation_entries(validation: Evaluation) -> dict[str, Entry]:
    """All entries on the validation images; fitted blends come from nested cross-validation."""
    return entries(validation, validation_quotas(validation)) | _fitted(nested_blends(validation))


def entries(evaluation: Evaluation, quotas: NDArray[np.int64] | None) -> dict[str, Entry]:
    """The entries that are not fitted, by name. One member has a single blend, and one view no average."""
    entries: dict[str, Entry] = {}
    for name, predictions in evaluation.members.items():
        entries[name] = (predictions.probabilities[0], None)
        if len(predictions.probabilities) > 1:
            entries[f"{name}+tta"] = (blend(predictions.probabilities), None)
    for kind in KINDS if len(evaluation.members) > 1 else [DEFAULT]:
        entries[f"blend {kind}"] = (blend_members(evaluation.members, kind), None)
    if quotas is not None:
        blended, _ = entries[f"blend {DEFAULT}"]
        for method in WITH_QUOTAS:
            labels = assign_within(blended, evaluation.is_manipulated, quotas, method)
            entries[f"blend {DEFAULT}, {method}"] = (blended, labels)
    return entries


def _fitted(blends: Mapping[str, NDArray[np.floating]]) -> dict[str, Entry]:
    return {f"blend {method}": (probabilities, None) for method, probabilities in blends.items()}


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Convert scores, from None or text, to float64 with NaN for missing, and images to nullable integers."""
    numbers = {column: pd.to_numeric(table[column]).astype("float64") for column in NUMBERS}
    return table.assign(**numbers).astype({"images": "Int64"})


def _with_interval(table: pd.DataFrame, column: str, low: str, high: str) -> list[str]:
    return list(map(format_interval, table[column], table[low], table[high]))
