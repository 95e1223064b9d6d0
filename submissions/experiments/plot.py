"""The plot of an experiment: what was measured, with intervals, beside the paper's values and the baselines."""

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from competition.settings import SETTINGS
from submissions.experiments.tables import HEADINGS, MAJORITY, RANDOM, is_share
from submissions.reports.figures import LARGE, NORMAL, SMALL

PAPER_BESIDE = 0.18  # of the distance between two variants


def experiment_plot(table: pd.DataFrame, title: str, measured_on: str) -> Figure:
    """Draw a summary of `submissions.experiments.tables`: a panel for each share that the paper gives, or each setting.

    A variant stands with its interval as a dot, the paper's value as a hollow square; lines are the baselines of its
    number of bins.
    """
    given = {name for name in table.loc[table["paper"].notna(), "measure"] if is_share(name)} or set(SETTINGS)
    shown = [name for name in HEADINGS if name in given]
    is_baseline = table["variant"].str.startswith((RANDOM, MAJORITY))
    measured, baselines = table[~is_baseline], table[is_baseline]
    variants = measured["variant"].unique()
    figure = Figure(figsize=(max(3.4, 0.9 + 0.85 * len(variants)) * len(shown), 5.6), layout="constrained")
    figure.suptitle(f"{title}\n{fill(measured_on, 40 * len(shown))}", fontsize=NORMAL)
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, measure in zip(panels, shown, strict=True):
        rows = measured[measured["measure"] == measure].set_index("variant").reindex(variants)
        _panel(axes, rows, baselines[baselines["measure"] == measure])
        axes.set_title(HEADINGS[measure], fontsize=LARGE)
    panels[0].set_ylabel("share of the validation photographs", fontsize=NORMAL)
    panels[0].set_ylim(0, 1)
    handles = {
        label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles), fontsize=NORMAL)
    return figure


def _panel(axes: Axes, measured: pd.DataFrame, baselines: pd.DataFrame) -> None:
    places = np.arange(len(measured))
    for kind, style in ((RANDOM, "--"), (MAJORITY, ":")):
        value = baselines[baselines["variant"].str.startswith(kind)].set_index("bins")["measured"]
        heights = value.reindex(measured["bins"]).to_numpy()
        axes.hlines(heights, places - 0.42, places + 0.42, color="0.35", linestyle=style, label=kind)
    values = measured["measured"].to_numpy(float)
    reach = np.abs(measured[["low", "high"]].to_numpy(float).T - values)  # NaN, and not drawn, for what is computed
    axes.errorbar(places, values, reach, fmt="o", color="black", capsize=4, label="measured here, 95 % interval")
    if measured["paper"].notna().any():
        axes.plot(
            places + PAPER_BESIDE,
            measured["paper"],
            "s",
            mfc="white",
            mec="black",
            label="the paper, on its photographs",
        )
    axes.set_xticks(places, [fill(name, 12) for name in measured.index], fontsize=SMALL)
    axes.set_xlim(-0.6, len(measured) - 0.4)
