"""Sections of a report with scores: tables and charts of the leaderboards, the ablation, confusions and curves.

Tested by tests/submissions/reports/test_report.py.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from competition.metrics.calibration import Reliability
from competition.utils.tables import format_interval, format_number, read_text_table
from submissions.blending import DEFAULT
from submissions.leaderboards import camera, settings
from submissions.leaderboards.ablation import DIFFERENCE, SCORES
from submissions.leaderboards.ablation import FILE_NAME as ABLATION
from submissions.leaderboards.calibration import FILE_NAME as CALIBRATION
from submissions.leaderboards.score import camera_accuracies
from submissions.reports.charts import curves_chart, interval_chart, reliability_chart
from submissions.reports.contents import (
    Card,
    Cell,
    Chart,
    Section,
    Table,
    accuracy_cell,
    interval_cell,
    number_cell,
    text_cell,
)
from submissions.reports.figures import HEAD_LABELS
from submissions.reports.inspect_run import HeadPredictions
from submissions.run import FRONT_END, Run

FIX = "run predict or leaderboard on the run first"
SETTINGS_NUMBERS = ["balanced_accuracy", "low", "high", "accuracy", "random", "majority", "log_loss"]
HISTORY = "history.csv"
SCORE_LABELS = {**HEAD_LABELS, settings.MEAN: "mean"}


def camera_cards(run: Run) -> list[Card]:
    """Headline figures of the blend on the cameras."""
    table = _read_camera(run).set_index("entry")
    row = table.loc[f"blend {DEFAULT}"]
    private = format_interval(*row[["private_weighted_accuracy", "private_low", "private_high"]])
    cards = [
        Card(
            "Weighted accuracy, validation", format_number(row["weighted_accuracy"]), _between(row["low"], row["high"])
        ),
        Card("Log loss, validation", format_number(row["log_loss"]), f"{row['images']:.0f} images"),
    ]
    if not pd.isna(row["private_weighted_accuracy"]):
        value, _, interval = private.partition(" ")
        cards.insert(1, Card("Weighted accuracy, hidden test set", value, interval))
    return cards


def settings_cards(run: Run) -> list[Card]:
    """Headline figures of the settings: of the entry that is submitted, on the test set if its settings are known."""
    table = _read_settings(run)
    last = table[(table["entry"] == table["entry"].iloc[-1]) & (table["split"] == table["split"].iloc[-1])]
    return [
        Card(
            f"Balanced accuracy, {SCORE_LABELS[row['setting']]}, {row['split']}",
            format_number(row["balanced_accuracy"]),
            f"{_between(row['low'], row['high'])}, guess {row['random']:.3f}",
        )
        for row in last.to_dict("records")
    ]


def camera_section(run: Run) -> Section:
    """The camera leaderboard."""
    table = _read_camera(run)
    columns: dict[str, Iterable[Cell]] = {
        "entry": map(text_cell, table["entry"]),
        "weighted accuracy": _intervals(table, "weighted_accuracy", "low", "high"),
        "unaltered": map(number_cell, table["unaltered_accuracy"]),
        "manipulated": map(number_cell, table["manipulated_accuracy"]),
        "log loss": map(number_cell, table["log_loss"]),
        "private test set": _intervals(table, "private_weighted_accuracy", "private_low", "private_high"),
        "public test set": map(number_cell, table["public_weighted_accuracy"]),
    }
    for kind in ("private", "public"):
        if table[f"{kind}_weighted_accuracy"].isna().all():
            del columns[f"{kind} test set"]
    words = (
        "Every entry on the validation images, unaltered (weight 0.7) and manipulated (0.3). +tta is the average of "
        "all dihedral views. The test set was scored after all choices had been made."
    )
    return Section("scores", "Scores", words, tables=[_table("Leaderboard of the cameras", columns)])


def settings_section(run: Run) -> Section:
    """The settings leaderboard."""
    table = _read_settings(run)
    columns: dict[str, Iterable[Cell]] = {
        "images": map(text_cell, table["split"]),
        "entry": map(text_cell, table["entry"]),
        "setting": (text_cell(SCORE_LABELS[name]) for name in table["setting"]),
        "balanced accuracy": _intervals(table, *SETTINGS_NUMBERS[:3]),
    }
    for name in SETTINGS_NUMBERS[3:]:
        columns[name.replace("_", " ")] = map(number_cell, table[name])
    words = (
        "Balanced accuracy is the mean of the recalls of all bins; a random guess reaches the value in the column "
        "random. Majority is the accuracy of always predicting the most frequent bin."
    )
    tables = [_table("Leaderboard of the settings", columns)]
    return Section("settings-scores", "Scores of the settings", words, tables=tables)


def ablation_section(run: Run) -> Section:
    """What each step of the ensemble is worth: ablation.csv as charts and tables."""
    numbers = [*SCORES, *DIFFERENCE]
    table = _read(run.folder / ABLATION, ["images", "step", "compared_with"], numbers)
    charts, tables = [], []
    for images, part in table.groupby("images", sort=False):
        value, low, high = (part[name].to_numpy() for name in SCORES[:3])
        svg = interval_chart(part["step"].tolist(), value, low, high, f"weighted accuracy on the {images} images")
        charts.append(Chart(svg, f"The steps on the {images} images; the table below has the same numbers."))
        columns: dict[str, Iterable[Cell]] = {
            "step": map(text_cell, part["step"]),
            "weighted accuracy": _intervals(part, *SCORES[:3]),
            "unaltered": map(number_cell, part["unaltered_accuracy"]),
            "manipulated": map(number_cell, part["manipulated_accuracy"]),
            "difference": _intervals(part, *DIFFERENCE),
            "to": map(text_cell, part["compared_with"]),
        }
        tables.append(_table(f"Steps on the {images} images", columns))
    words = (
        "Every step beside the one that it is compared with, on the same images. A step whose interval of the "
        "difference includes zero has not been shown to be worth anything."
    )
    return Section("ablation", "What each step is worth", words, charts, tables)


def confusion_section(by_head: Mapping[str, HeadPredictions]) -> Section:
    """The confusion matrix of every head, of the blend on the validation images."""
    tables = []
    for head, found in by_head.items():
        counts = np.zeros((len(found.classes),) * 2, int)
        np.add.at(counts, (found.truth[found.known], found.predicted[found.known]), 1)
        shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
        rows = []
        for true, name in enumerate(found.classes):
            parts = zip(counts[true].tolist(), shares[true].tolist(), strict=True)
            cells = [Cell(str(n), n, share, number != true) for number, (n, share) in enumerate(parts)]
            rows.append([text_cell(name), *cells])
        caption = f"Confusion matrix of {HEAD_LABELS[head]}: true class in rows, predicted class in columns"
        tables.append(Table(caption, ("true class", *found.classes), rows))
    words = (
        "Numbers of validation images, as the blend predicts them, shaded by their share of the true class: correct "
        "predictions in blue, wrong ones in orange."
    )
    return Section("confusion", "Confusion matrix", words, tables=tables, shaded=True)


def manipulation_section(run: Run) -> Section:
    """Accuracy of the blend by camera and manipulation."""
    cells = camera_accuracies(run)
    accuracies = cells.to_numpy(float).tolist()
    rows = [[text_cell(name), *map(accuracy_cell, row)] for name, row in zip(cells.index, accuracies, strict=True)]
    table = Table("Accuracy by camera and manipulation", ("camera", *map(str, cells.columns)), rows)
    words = (
        "Share of correct predictions of the blend on the validation images, before balancing. Wrong predictions are "
        "shaded in orange."
    )
    return Section("manipulations", "Accuracy by manipulation and camera", words, tables=[table], shaded=True)


def reliability_section(run: Run, diagrams: Mapping[str, Reliability]) -> Section:
    """Reliability diagrams, by head, and what the temperatures of the cameras' probabilities change."""
    charts = []
    for head, diagram in diagrams.items():
        error = f"{format_number(diagram.error)} {_between(diagram.error_low, diagram.error_high)}"
        svg = reliability_chart(diagram, f"Reliability of {HEAD_LABELS[head]}")
        charts.append(Chart(svg, f"{HEAD_LABELS[head]}: expected calibration error {error}"))
    words = (
        "Accuracy against the probability of the predicted class, in groups of equally many validation images. Groups "
        "above the dashed line are right more often than their probability says, groups below it less often. The "
        "diagram is of the blend before calibration."
    )
    tables = [_calibration_table(run)] if run.task.camera else []
    return Section("reliability", "Reliability diagram", words, charts, tables)


def curves_section(run: Run) -> Section:
    """The loss of every network after every epoch."""
    charts = []
    for name, file in _histories(run):
        history = pd.read_csv(file)
        epochs = history["epoch"].to_numpy() + 1
        columns = {"validation": "val_loss", "training": "loss"}
        curves = {kind: (epochs, history[column]) for kind, column in columns.items() if column in history}
        best = epochs[int(history["val_loss"].to_numpy().argmin())]
        chart = curves_chart(curves, "epoch", "loss", f"Loss of {name}")
        charts.append(Chart(chart, f"{name}: lowest validation loss after epoch {best}"))
    words = (
        "Loss after every epoch; epoch 0 is the state in which a member starts. The epoch with the lowest validation "
        "loss is kept."
    )
    return Section("curves", "Training curves", words, charts)


def _calibration_table(run: Run) -> Table:
    measures = ("error", "error_low", "error_high")
    stages = {when: [f"{name}_{when}" for name in measures] for when in ("before", "after")}
    losses = [f"log_loss_{when}" for when in stages]
    table = _read(run.folder / CALIBRATION, ["images", "entry"], [*stages["before"], *stages["after"], *losses])
    columns: dict[str, Iterable[Cell]] = {
        "images": map(text_cell, table["images"]),
        "entry": map(text_cell, table["entry"]),
    }
    columns |= {f"calibration error {when}": _intervals(table, *names) for when, names in stages.items()}
    columns |= {name.replace("_", " "): map(number_cell, table[name]) for name in losses}
    return _table("Before and after calibration by temperatures, which predict uses", columns)


def _histories(run: Run) -> Iterator[tuple[str, Path]]:
    """Names and files of the histories of all networks of a run, in the order of their training."""
    for part in run.parts:
        without = "" if part.fold is None else f" without fold {part.fold}"
        files = {"front end alone": part.front_end_folder / HISTORY}
        for member in part.members:
            files[f"front end of {member}"] = part.member_folder(member) / FRONT_END / HISTORY
            files[member] = part.member_folder(member) / HISTORY
        yield from ((name + without, file) for name, file in files.items() if file.exists())


def _read_camera(run: Run) -> pd.DataFrame:
    return _read(run.folder / camera.FILE_NAME, ["entry"], camera.NUMBERS)


def _read_settings(run: Run) -> pd.DataFrame:
    return _read(run.folder / settings.FILE_NAME, ["split", "entry", "setting"], SETTINGS_NUMBERS)


def _read(path: Path, names: list[str], numbers: list[str]) -> pd.DataFrame:
    """Read a table of scores: `numbers` as float64 with NaN where they are missing, the other columns as text."""
    table = read_text_table(path, [*names, *numbers], FIX)
    return table.assign(**{name: pd.to_numeric(table[name]).astype("float64") for name in numbers})


def _table(caption: str, columns: Mapping[str, Iterable[Cell]]) -> Table:
    """Return a table from columns of cells."""
    return Table(caption, tuple(columns), list(zip(*columns.values(), strict=True)))


def _intervals(table: pd.DataFrame, value: str, low: str, high: str) -> Iterator[Cell]:
    return map(interval_cell, table[value], table[low], table[high])


def _between(low: float, high: float) -> str:
    return f"[{low:.3f}, {high:.3f}]"
