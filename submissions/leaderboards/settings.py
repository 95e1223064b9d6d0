"""The settings leaderboard: balanced accuracy of every member and of their blend on the validation photos."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.metrics.settings import correct_shares, score_setting
from competition.settings import SETTINGS
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from competition.utils.tables import format_interval, format_number, read_text_table, text_table
from submissions.blending import ByHead, settings_entries
from submissions.run import Run

FILE_NAME = "settings_leaderboard.csv"


def score_settings(run: Run) -> pd.DataFrame:
    """Write settings_leaderboard.csv: one row per entry and setting, scored on the validation images.

    Columns run, entry, setting, those of `competition.metrics.settings.score_setting`, all_right (the share of images
    whose settings are all right), and note.
    """
    entries, labels = settings_entries(run, "validation"), run.targets.labels(run.validation)
    truth = {name: labels[name] for name in run.targets.labeled_settings}
    rows = []
    for entry, probabilities in entries.items():
        all_right = correct_shares(most_probable_bins(probabilities), np.stack(list(truth.values())))[-1]
        for name, y_true in truth.items():
            scores = score_setting(probabilities[name], y_true, groups=run.validation["path"])
            row = {"run": run.folder.name, "entry": entry, "setting": name, **scores}
            rows.append({**row, "all_right": all_right, "note": run.note})
    table = pd.DataFrame(rows)
    write_csv(table, run.folder / FILE_NAME)
    return table


def most_probable_bins(probabilities: ByHead) -> NDArray[np.integer]:
    """The most probable bin of each setting: (settings, images)."""
    return np.stack([probabilities[name].argmax(axis=1) for name in SETTINGS if name in probabilities])


def compare_settings(runs_folder: Path | str) -> pd.DataFrame:
    """Read the settings leaderboards of all runs in a folder: one row per entry, the best mean first.

    Columns run, entry, note, random (the balanced accuracy of a random guess), the balanced accuracy of each setting,
    NaN if the run has no head for it, and their mean, NaN if one is missing. Empty if no run has such a leaderboard.

    Raises:
        InputError: a settings_leaderboard.csv is damaged.
    """
    tables = []
    for path in sorted(Path(runs_folder).glob(f"*/{FILE_NAME}")):
        fix = "delete it and run leaderboard RUN again"
        table = read_text_table(path, ["entry", "setting", "balanced_accuracy", "random", "note"], fix)
        try:
            numbers = table.assign(**{name: table[name].astype(float) for name in ("balanced_accuracy", "random")})
            wide = numbers.pivot_table("balanced_accuracy", ["entry", "note", "random"], "setting", sort=False)
        except ValueError as error:
            raise InputError(f"{path} has a score that is not a number ({error}); {fix}") from None
        tables.append(wide.reindex(columns=list(SETTINGS)).reset_index().assign(run=path.parent.name))
    if not tables:
        return pd.DataFrame()
    together = pd.concat(tables)
    together["mean"] = together[list(SETTINGS)].mean(axis=1, skipna=False)
    return together.sort_values("mean", ascending=False, kind="stable", ignore_index=True)


def format_settings(table: pd.DataFrame) -> str:
    """Format the leaderboard for a terminal: scores with their 95 % intervals, then each note once."""
    shown: dict[str, list[str]] = {
        "entry": table["entry"].tolist(),
        "setting": table["setting"].tolist(),
        "balanced accuracy": list(map(format_interval, table["balanced_accuracy"], table["low"], table["high"])),
    }
    for name in ("accuracy", "random", "majority", "log_loss"):
        shown[name.replace("_", " ")] = list(map(format_number, table[name]))
    return text_table({**shown, "images": table["images"].tolist()}, table["note"], left=2)
