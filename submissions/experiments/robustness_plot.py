"""Plot of the accuracy on altered images: one panel for each alteration, one line for each run."""

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from submissions.experiments.alterations import ALTERATIONS
from submissions.experiments.robustness import ORIGINAL
from submissions.reports.figures import LARGE_FONT, NORMAL_FONT, SMALL_FONT

STYLES = ({"marker": "o", "color": "black"}, {"marker": "s", "color": "0.45", "linestyle": "--", "mfc": "white"})
OFFSET = 0.08  # horizontal, between the runs, relative to the distance of two levels
COLUMNS = 3


def draw_robustness(table: pd.DataFrame, description: str, chance: float) -> Figure:
    """Draw the table of `submissions.experiments.robustness.measure_robustness`.

    Each panel begins with the images as they are. A dotted line is chance.

    Args:
        table: of one or two runs.
        description: second line of the title, wrapped.
        chance: accuracy of a guess.
    """
    drawn = [name for name in ALTERATIONS if (table["alteration"] == name).any()]
    rows = -(-len(drawn) // COLUMNS)
    figure = Figure(figsize=(4.2 * COLUMNS, 0.9 + 3.3 * rows), layout="constrained")
    figure.suptitle(f"Accuracy on altered images\n{fill(description, 130)}", fontsize=NORMAL_FONT)
    panels = figure.subplots(rows, COLUMNS, sharey=True, squeeze=False)
    for axes, name in zip(panels.flat, drawn, strict=False):
        _draw_panel(axes, table[table["alteration"].isin((ORIGINAL, name))], chance)
        axes.set_title(ALTERATIONS[name].title, fontsize=LARGE_FONT - 2)
    for axes in panels.flat[len(drawn) :]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("accuracy", fontsize=NORMAL_FONT)
    panels[0, 0].set_ylim(0, 1.03)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=NORMAL_FONT)
    return figure


def _draw_panel(axes: Axes, table: pd.DataFrame, chance: float) -> None:
    for number, (run, rows) in enumerate(table.groupby("run", sort=False)):
        positions = np.arange(len(rows)) + number * OFFSET
        values = rows["accuracy"].to_numpy()
        errors = np.abs(rows[["low", "high"]].to_numpy().T - values)
        axes.errorbar(positions, values, errors, capsize=3, label=str(run), **STYLES[number])  # type: ignore[arg-type]
    levels = ["as it is" if np.isnan(level) else f"{level:g}" for level in rows["level"]]
    axes.set_xticks(np.arange(len(levels)), levels, fontsize=SMALL_FONT)
    axes.axhline(chance, color="0.35", linestyle=":", label="chance")
    axes.grid(axis="y", color="0.9")
