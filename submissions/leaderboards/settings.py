"""The settings leaderboard: balanced accuracy of every member and of their blend, beside the ceiling."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.metrics.bootstrap import percentile_interval
from competition.metrics.settings import correct_shares, mean_accuracy_samples, recall_difference, score_setting
from competition.settings import SETTINGS, assign_bins
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from competition.utils.tables import format_interval, format_number, read_text_table, text_table
from submissions.blending import ByHead, settings_entries
from submissions.leaderboards.ceiling import predict_ceiling
from submissions.leaderboards.evaluation import truth_of_test
from submissions.run import Run
from submissions.submission_csv import read_solution

FILE_NAME = "settings_leaderboard.csv"
CEILING = "ceiling"  # column
MEAN = "mean"  # of all settings, in the column `setting`
DIFFERENCE = ("difference", "difference_low", "difference_high")

Truth = Mapping[str, NDArray[np.int32]]  # setting → bins (images,)


def score_settings(run: Run, write: bool = True) -> pd.DataFrame:
    """Write settings_leaderboard.csv unless `write` is false; returns it: one row per split, entry and setting.

    Entries are scored on the validation images and, if solution.csv has settings, on the test set, whose images nothing
    was chosen on. With several settings, the last row of an entry has the means of their scores, and is named `MEAN`.

    Columns run, split, entry, setting, those of `competition.metrics.settings.score_setting`, ceiling (the balanced
    accuracy of `submissions.leaderboards.ceiling`, null for photos that are not simulated), all_right (the share of
    images whose settings are all right), compared_with (the first entry), the difference of the balanced accuracy to it
    with its paired interval (null for the first entry), and note.
    """
    images = {split: table for split, table in run.images.items() if split == "validation" or _has_settings(run)}
    ceilings = predict_ceiling(run, {split: table["path"].tolist() for split, table in images.items()})
    tables = []
    for split, table in images.items():
        truth = _truth(run, split)
        scores = pd.DataFrame(_score_entries(settings_entries(run, split), truth, table["path"]))
        scores.insert(0, "split", split)
        if ceilings is not None:
            found = {name: score_setting(ceilings[split][name], bins) for name, bins in truth.items()}
            values = {name: score["balanced_accuracy"] for name, score in found.items()}
            values[MEAN] = np.mean([*values.values()])
            scores[CEILING] = scores["setting"].map(values)
        tables.append(scores)
    leaderboard = pd.concat(tables, ignore_index=True).assign(note=run.note)
    leaderboard.insert(0, "run", run.folder.name)
    if CEILING not in leaderboard:
        leaderboard[CEILING] = np.nan
    if write:
        write_csv(leaderboard, run.folder / FILE_NAME)
    return leaderboard


def most_probable_bins(probabilities: ByHead) -> NDArray[np.integer]:
    """The most probable bin of each setting: (settings, images)."""
    return np.stack([probabilities[name].argmax(axis=1) for name in SETTINGS if name in probabilities])


def compare_settings(runs_folder: Path | str) -> pd.DataFrame:
    """Read the settings leaderboards of all runs in a folder: one row per entry, the best mean first.

    Columns run, entry, note, random (the balanced accuracy of a random guess), the balanced accuracy of each setting on
    the validation images, NaN if the run has no head for it, and their mean, NaN if one is missing. Empty if no run has
    such a leaderboard.

    Raises:
        InputError: a settings_leaderboard.csv is damaged.
    """
    tables = []
    for path in sorted(Path(runs_folder).glob(f"*/{FILE_NAME}")):
        fix = "delete it and run predict RUN again"
        table = read_text_table(path, ["split", "entry", "setting", "balanced_accuracy", "random", "note"], fix)
        table = table[table["split"] == "validation"]
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
    score, low, high = (table[name] for name in ("balanced_accuracy", "low", "high"))
    shown: dict[str, list[str]] = {
        "images": [f"{images} {split}" for images, split in zip(table["images"], table["split"], strict=True)],
        "entry": table["entry"].tolist(),
        "setting": table["setting"].tolist(),
        "balanced accuracy": list(map(format_interval, score, low, high)),
        "chance": list(map(format_number, table["random"])),
        CEILING: list(map(format_number, table[CEILING])),
        "bin error": list(map(format_number, table["bin_error"])),
        "accuracy": list(map(format_number, table["accuracy"])),
        "majority": list(map(format_number, table["majority"])),
        "log loss": list(map(format_number, table["log_loss"])),
    }
    if table["compared_with"].any():
        shown["difference"] = list(map(format_interval, *(table[name] for name in DIFFERENCE)))
        shown["to"] = table["compared_with"].tolist()
    return text_table(shown, table["note"], left=3)


def _score_entries(entries: Mapping[str, ByHead], truth: Truth, photos: pd.Series) -> list[dict[str, object]]:
    """Rows of the leaderboard for one set of images, in the order of `entries`."""
    rows = []
    first = next(iter(entries))
    for entry, probabilities in entries.items():
        all_right = correct_shares(most_probable_bins(probabilities), np.stack(list(truth.values())))[-1]
        for name, y_true in truth.items():
            row = {"entry": entry, "setting": name, **score_setting(probabilities[name], y_true, groups=photos)}
            difference: tuple[float, ...] = (np.nan,) * 3
            if entry != first:
                predicted = probabilities[name].argmax(axis=1), entries[first][name].argmax(axis=1)
                difference = recall_difference(y_true, *predicted, groups=photos)
            compared = {
                "compared_with": "" if entry == first else first,
                **dict(zip(DIFFERENCE, difference, strict=True)),
            }
            rows.append({**row, "all_right": all_right, **compared})
        if len(truth) > 1:
            rows.append(_mean_row(rows[-len(truth) :], probabilities, entries[first], truth, photos))
    return rows


def _mean_row(
    rows: list[dict[str, object]], probabilities: ByHead, first: ByHead, truth: Truth, photos: pd.Series
) -> dict[str, object]:
    """The means of the scores of an entry's settings, with intervals over the photos that they share."""
    bins = np.stack(list(truth.values()))
    scores = ("balanced_accuracy", "bin_error", "accuracy", "random", "majority", "log_loss", DIFFERENCE[0])
    means = {name: np.mean([row[name] for row in rows]) for name in scores}
    samples, others = (
        mean_accuracy_samples(np.stack([entry[name].argmax(axis=1) for name in truth]) == bins, bins, groups=photos)
        for entry in (probabilities, first)
    )
    low, high = percentile_interval(samples).tolist()
    compared: dict[str, object] = {}
    if rows[0]["compared_with"]:
        compared = dict(zip(DIFFERENCE[1:], percentile_interval(samples - others).tolist(), strict=True))
    return {**rows[0], "setting": MEAN, **means, "low": low, "high": high, **compared}


def _has_settings(run: Run) -> bool:
    """Whether solution.csv has the settings of the test set."""
    solution = read_solution(run.data)
    return solution is not None and all(SETTINGS[name].column in solution for name in run.targets.labeled_settings)


def _truth(run: Run, split: str) -> Truth:
    """The true bins of the images of a split, from EXIF or from solution.csv."""
    names, images = run.targets.labeled_settings, run.images[split]
    solution = read_solution(run.data)
    if split == "validation" or solution is None:
        labels = run.targets.labels(images)
        return {name: labels[name] for name in names}
    table = truth_of_test(solution, images["path"].map(lambda path: Path(path).name).to_numpy(np.str_))
    return {name: assign_bins(name, table[SETTINGS[name].column], run.targets.edges[name]) for name in names}
