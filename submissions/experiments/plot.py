"""Plot of an experiment: measured values with intervals beside the paper's values and the baselines.

Tested by tests/submissions/experiments/test_run.py.
"""

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from competition.settings import SETTINGS
from submissions.experiments.tables import HEADINGS, MAJORITY, RANDOM, is_share
from submissions.reports.figures import LARGE_FONT, NORMAL_FONT, SMALL_FONT

PAPER_OFFSET = 0.18  # horizontal, relative to the distance between two variants


def draw_experiment(table: pd.DataFrame, title: str, description: str) -> Figure:
    """Draw a summary: one panel for each share that the paper reports, or for each setting if it reports none.

    Dots with intervals are measured values, hollow squares are the paper's values, and lines are the baselines for the
    same number of bins.

    Args:
        table: see `submissions.experiments.tables.summarize`.
        title: of the figure.
        description: second line of the title, wrapped.
    """
    reported = {name for name in table.loc[table["paper"].notna(), "measure"] if is_share(name)} or set(SETTINGS)
    measures = [name for name in HEADINGS if name in reported]
    is_baseline = table["variant"].str.startswith((RANDOM, MAJORITY))
    measured, baselines = table[~is_baseline], table[is_baseline]
    variants = measured["variant"].unique()
    figure = Figure(figsize=(max(3.4, 0.9 + 0.85 * len(variants)) * len(measures), 5.6), layout="constrained")
    figure.suptitle(f"{title}\n{fill(description, 40 * len(measures))}", fontsize=NORMAL_FONT)
    panels = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
    for axes, measure in zip(panels, measures, strict=True):
        rows = measured[measured["measure"] == measure].set_index("variant").reindex(variants)
        _draw_panel(axes, rows, baselines[baselines["measure"] == measure])
        axes.set_title(HEADINGS[measure], fontsize=LARGE_FONT)
    panels[0].set_ylabel("share of the validation photos", fontsize=NORMAL_FONT)
    panels[0].set_ylim(0, 1)
    handles = {
        label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles), fontsize=NORMAL_FONT
    )
    return figure


def _draw_panel(axes: Axes, measured: pd.DataFrame, baselines: pd.DataFrame) -> None:
    """Draw one measure of all variants. `measured` has one row per variant, NaN for a variant without that measure."""
    positions = np.arange(len(measured))
    for kind, style in ((RANDOM, "--"), (MAJORITY, ":")):
        value = baselines[baselines["variant"].str.startswith(kind)].set_index("bins")["measured"]
        heights = value.reindex(measured["bins"]).to_numpy()
        axes.hlines(heights, positions - 0.42, positions + 0.42, color="0.35", linestyle=style, label=kind)
    values = measured["measured"].to_numpy(float)
    errors = np.abs(measured[["low", "high"]].to_numpy(float).T - values)  # NaN is not drawn
    axes.errorbar(positions, values, errors, fmt="o", color="black", capsize=4, label="measured here, 95 % interval")
    if measured["paper"].notna().any():
        axes.plot(
            positions + PAPER_OFFSET, measured["paper"], "s", mfc="white", mec="black", label="paper, on its photos"
        )
    axes.set_xticks(positions, [fill(name, 12) for name in measured.index], fontsize=SMALL_FONT)
    axes.set_xlim(-0.6, len(measured) - 0.4)
