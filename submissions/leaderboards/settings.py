"""What follows from a run's predictions of settings: their leaderboard and their submission. No network is loaded."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.manifest import UNALTERED
from competition.metrics.settings import score_setting, settings_right
from competition.settings import SETTINGS
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from submissions.blending import DEFAULT, blend
from submissions.prediction_cache import Predictions, answer
from submissions.run import Run
from submissions.submit import images, load_members
from submissions.tasks import JOINT

LEADERBOARD = "settings_leaderboard.csv"
SUBMISSION = "settings_submission.csv"
Answers = dict[str, NDArray[np.float64]]  # question → (images, classes)


def score_settings(run: Run) -> pd.DataFrame:
    """Write `settings_leaderboard.csv`: a row for every entry and setting, scored on the validation photographs.

    Columns run, entry, setting, those of `competition.metrics.settings.score_setting`, and all_right: the share of
    photographs of which all settings are.
    """
    answers, truth = entries(run, "validation"), run.targets.labels(run.validation)
    known = {name: truth[name] for name in run.targets.learnable}
    rows = []
    for entry, predicted in answers.items():
        all_right = settings_right(chosen(predicted), np.stack(list(known.values())))[-1]
        for name, labels in known.items():
            scores = score_setting(predicted[name], labels, photographs=run.validation["path"])
            row = {"run": run.folder.name, "entry": entry, "setting": name, **scores}
            rows.append({**row, "all_right": all_right, "note": run.note})
    table = pd.DataFrame(rows)
    write_csv(table, run.folder / LEADERBOARD)
    return table


def submit_settings(run: Run, path: Path) -> pd.DataFrame:
    """Write the bin and its probability of every setting for every image of the test set, else for every unaltered one
    of validation.

    Columns fname, and for every setting its name and `<name>_probability`.
    """
    shown = images(run)
    split = "test" if "test" in shown else "validation"
    table = describe(run, list(entries(run, split).values())[-1])
    paths = shown[split]["path"].tolist()
    table.insert(0, "fname", [Path(path).name for path in paths] if split == "test" else paths)
    if split == "validation":
        table = table[(shown[split]["manipulation"] == UNALTERED).to_numpy()]
    write_csv(table, path)
    return table


def describe(run: Run, predicted: Answers) -> pd.DataFrame:
    """The most probable bin of every setting, in words, and its probability."""
    targets, columns = run.targets, {}
    for name in targets.learnable:
        columns[name] = np.array(targets.answers[name])[predicted[name].argmax(axis=1)]
        columns[f"{name}_probability"] = predicted[name].max(axis=1)
    return pd.DataFrame(columns)


def entries(run: Run, split: str) -> dict[str, Answers]:
    """What is answered for the images of a split: by every member, and by the blend of several; the last is the best.

    Raises `InputError` where the run was not asked for settings, or lacks predictions.
    """
    targets = [*run.targets.learnable, *([JOINT] if run.task.output == "correlated" else [])]
    members: dict[str, dict[str, Predictions]] = {}
    for target in targets:
        for member, predicted in load_members(run, split, target).items():
            members.setdefault(member, {})[target] = predicted
    members = {member: predicted for member, predicted in members.items() if len(predicted) == len(targets)}
    if not members:
        raise InputError(f"the run {run.folder} has no predictions for {split}; run predict first")
    answers = {member: {name: answer(one) for name, one in predicted.items()} for member, predicted in members.items()}
    if len(answers) > 1:
        several = list(answers.values())
        answers[f"blend {DEFAULT}"] = {
            name: blend(np.stack([one[name] for one in several]), DEFAULT) for name in targets
        }
    return answers


def chosen(predicted: Answers) -> NDArray[np.integer]:
    """The most probable bin of each setting by itself: (settings, images)."""
    return np.stack([predicted[name].argmax(axis=1) for name in SETTINGS if name in predicted])


def format_settings(table: pd.DataFrame) -> str:
    """Aligned text for a terminal."""
    shown = pd.DataFrame(
        {
            "entry": table["entry"],
            "setting": table["setting"],
            "balanced accuracy": [f"{r.balanced_accuracy:.3f} [{r.low:.3f}, {r.high:.3f}]" for r in table.itertuples()],
            **{name: table[name].map("{:.3f}".format) for name in ("accuracy", "random", "majority", "log_loss")},
            "images": table["images"],
        }
    )
    notes = [f"note: {note}" for note in table["note"].unique() if note]
    return "\n".join([shown.to_string(index=False), *notes])
