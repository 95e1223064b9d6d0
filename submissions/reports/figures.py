"""Pictures of a run, drawn from arrays and tables; readable in gray. No state of matplotlib's outlives a call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike, NDArray

from competition.metrics.calibration import Reliability
from competition.utils.atomic_files import atomic_write

SMALL, NORMAL, LARGE = 8, 10, 13  # points
PLAIN, TRUE, INK = "0.75", "0.45", "0.1"  # grays; what is true is also hatched
HATCH = "////"
ROOM = 0.05  # beside the outermost points of a reliability diagram
FEW_TICKS = 5  # that fit under the bars of a setting
FEW_CLASSES = 12  # of which a confusion matrix has its counts written in
LABELS = {"aperture": "aperture", "iso": "ISO", "exposure_time": "exposure time", "camera": "camera"}
AXES = {"f_number": "f-number", "iso": "ISO", "exposure_time": "exposure time in seconds"}
TICKS = {  # as they stand on a camera
    "f_number": ("1", "1.4", "2", "2.8", "4", "5.6", "8", "11", "16", "22", "32"),
    "iso": ("25", "50", *(str(100 * 2**stop) for stop in range(12))),
    "exposure_time": ("1/16000", "1/4000", "1/1000", "1/250", "1/60", "1/15", "1/4", "1", "4", "15", "60"),
}
NUMBERS = [digit * 10**power for power in range(6) for digit in (1, 2, 5)]
SHADES = ListedColormap(colormaps["Greys"](np.linspace(0.25, 1, 256)))  # a lone photograph is seen too
PANELS = (("f_number", "iso"), ("iso", "exposure_time"), ("exposure_time", "f_number"))


@dataclass(frozen=True, eq=False)
class Example:
    """A photograph beside what was said of it.

    pixels: uint8 (height, width, 3). caption: one line. said: question → probabilities (classes,). truth: question →
    its class, -1 where unknown.
    """

    pixels: NDArray[np.uint8]
    caption: str
    predicted: Mapping[str, NDArray[np.float64]]
    truth: Mapping[str, int]


def save(figure: Figure, path: Path) -> list[Path]:
    """Write `path`.png and `path`.svg, each whole or not at all; their paths."""
    made = [path.with_name(f"{path.name}{suffix}") for suffix in (".png", ".svg")]
    for target in made:
        with atomic_write(target) as partial:
            figure.savefig(partial, dpi=120, metadata={"Date": None} if target.suffix == ".svg" else None)
        figure.set_layout_engine("none")  # it is laid out now, and laying out is most of the work
    return made


def best_and_worst(
    best: Sequence[Example], worst: Sequence[Example], classes: Mapping[str, Sequence[str]], title: str
) -> Figure:
    """Two rows of photographs with their distributions as bars underneath (figure 2 of Laurence & Murphy 2018).

    `classes`: question → its classes. One question alone, the camera, shows its five most probable classes by name, and
    the true one where it is not among them.
    """
    columns = max(len(best), len(worst))
    by_name = list(classes) == ["camera"]
    figure = Figure(figsize=(3.1 * columns, 9.6), layout="constrained")
    figure.suptitle(title, fontsize=LARGE)
    rows = figure.subfigures(3, 1, squeeze=False, height_ratios=(1, 1, 0.05 if by_name else 0.14), hspace=0.03)[:, 0]
    for row, examples, name in zip(rows, (best, worst), ("best", "worst"), strict=False):
        row.suptitle(f"{name}, by log loss", fontsize=NORMAL, fontweight="bold", x=0.01, ha="left")
        cells = row.subfigures(1, columns, squeeze=False, wspace=0.02)[0]
        for cell, example in zip(cells, examples, strict=False):
            upper, lower = cell.subfigures(2, 1, height_ratios=(1.35, 1))
            _photograph(upper.subplots(), example.pixels, example.caption)
            if by_name:
                _top_classes(lower.subplots(), example.predicted["camera"], example.truth["camera"], classes["camera"])
            else:
                panels = lower.subplots(1, len(classes), sharey=True, squeeze=False)[0]
                for axes, target in zip(panels, classes, strict=True):
                    _bars(axes, example.predicted[target], example.truth[target], LABELS[target])
    told = ["bars: predicted probability; hatched: the true class"]
    if not by_name:
        told += [
            f"{LABELS[target]}:  " + "   ".join(f"{number} {name}" for number, name in enumerate(names, 1))
            for target, names in classes.items()
        ]
    rows[2].text(0.01, 0.95, "\n".join(told), fontsize=SMALL, va="top")
    return figure


def settings_space(columns: Mapping[str, ArrayLike], edges: Mapping[str, ArrayLike], title: str) -> Figure:
    """Where photographs lie in the space of settings, pair by pair, on logarithmic axes (figure 3 of the paper).

    `columns` (photographs,) by manifest column, NaN where unknown; `edges` of the bins by the same names, drawn dashed.
    Darker markers hold more photographs.
    """
    figure = Figure(figsize=(15, 5), layout="constrained")
    figure.suptitle(title, fontsize=LARGE)
    for axes, (x, y) in zip(figure.subplots(1, 3), PANELS, strict=True):
        pairs = np.stack([np.asarray(columns[x], np.float64), np.asarray(columns[y], np.float64)], axis=1)
        pairs = pairs[np.isfinite(pairs).all(axis=1)]
        places, counts = np.unique(pairs, axis=0, return_counts=True)
        order = np.argsort(counts)  # the frequent ones on top
        most = max(2, counts.max(initial=1))
        dots = axes.scatter(
            *places[order].T,
            c=counts[order],
            cmap=SHADES,
            norm=LogNorm(1, most),
            s=36,
            edgecolors="0.4",
            linewidths=0.5,
        )
        for edge in np.asarray(edges.get(x, ())):
            axes.axvline(edge, color="0.35", linestyle="--", linewidth=1)
        for edge in np.asarray(edges.get(y, ())):
            axes.axhline(edge, color="0.35", linestyle="--", linewidth=1)
        axes.set(xscale="log", yscale="log")
        for axis, name in ((axes.xaxis, x), (axes.yaxis, y)):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in TICKS[name] if low <= float(Fraction(tick)) <= high]
            axis.set_ticks([float(Fraction(tick)) for tick in ticks], ticks, fontsize=SMALL)
            axis.set_minor_locator(NullLocator())
            axis.set_label_text(AXES[name], fontsize=NORMAL)
        axes.tick_params(axis="x", rotation=45)
        bar = figure.colorbar(dots, ax=axes, shrink=0.8)
        numbers = [*(number for number in NUMBERS if number < most / 1.4), int(most)]
        bar.set_ticks(numbers, labels=list(map(str, numbers)), fontsize=SMALL)
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.set_label("photographs", fontsize=SMALL)
    return figure


def sheet(examples: Sequence[Example], classes: Mapping[str, Sequence[str]], title: str, columns: int = 5) -> Figure:
    """A contact sheet: photographs, and under each what was said and, where that is wrong, what is true."""
    rows = -(-len(examples) // columns)
    lines = len(classes) + 2
    figure = Figure(figsize=(3.2 * columns, (2.3 + 0.19 * lines) * rows + 0.6))
    figure.set_layout_engine("constrained", h_pad=0.1)
    figure.suptitle(title, fontsize=LARGE)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set(xticks=(), yticks=())
        axes.spines[:].set_visible(False)
    for axes, example in zip(grid, examples, strict=False):
        told = [example.caption]
        for target, names in classes.items():
            predicted, truth = int(example.predicted[target].argmax()), example.truth[target]
            mark = "?" if truth < 0 else "✓" if predicted == truth else "✗"
            told.append(f"{mark} {names[predicted]}" + (f" (is {names[truth]})" if mark == "✗" else ""))
        axes.imshow(example.pixels)
        axes.set_xlabel("\n".join(told), fontsize=SMALL, loc="left", multialignment="left", linespacing=1.35)
    return figure


def confusion(truth: ArrayLike, predicted: ArrayLike, classes: Sequence[str], title: str) -> Figure:
    """Counts of what is true (rows) against what was said (columns), each row shaded by its shares.

    `truth` and `said` (images,) are indices into `classes`.
    """
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (np.asarray(truth), np.asarray(predicted)), 1)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    side = 3.2 + 0.55 * min(len(classes), 24)
    figure = Figure(figsize=(side + 1.6, side), layout="constrained")
    figure.suptitle(title, fontsize=NORMAL)
    axes = figure.subplots()
    drawn = axes.imshow(shares, cmap="Greys", vmin=0, vmax=1)
    size = NORMAL if len(classes) <= FEW_CLASSES else SMALL
    axes.set_xticks(range(len(classes)), classes, rotation=40, ha="right", rotation_mode="anchor", fontsize=size)
    axes.set_yticks(range(len(classes)), classes, fontsize=size)
    axes.set_xlabel("said", fontsize=NORMAL)
    axes.set_ylabel("true", fontsize=NORMAL)
    if len(classes) <= FEW_CLASSES:
        for (row, column), count in np.ndenumerate(counts):
            ink = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=ink, fontsize=NORMAL)
    figure.colorbar(drawn, ax=axes, shrink=0.8).set_label("share of the row", fontsize=SMALL)
    return figure


def reliability_diagrams(found: Mapping[str, Reliability], title: str) -> Figure:
    """A panel for every question: how often it is right beside how sure it is, in parts of equally many images."""
    figure = Figure(figsize=(max(6.5, 4.6 * len(found)), 5.4), layout="constrained")
    figure.suptitle(title, fontsize=LARGE if len(found) > 1 else NORMAL)
    for axes, (target, one) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        axes.plot((0, 1), (0, 1), color="0.5", linestyle="--", linewidth=1, label="as sure as right")
        axes.errorbar(
            one.confidence,
            one.accuracy,
            np.stack([one.accuracy - one.low, one.high - one.accuracy]),
            color=INK,
            marker="o",
            linewidth=1,
            elinewidth=1,
            capsize=3,
            label="answers, with 95 % intervals",
        )
        axes.set(xlim=(one.confidence[0] - ROOM, one.confidence[-1] + ROOM), ylim=(-ROOM / 2, 1 + ROOM / 2))
        axes.set_title(
            f"{LABELS[target]}\nexpected calibration error {one.error:.3f}\n"
            f"(95 %, less chance: {one.error_low:.3f} to {one.error_high:.3f})",
            fontsize=NORMAL,
        )
        axes.set_xlabel("probability of the answer", fontsize=NORMAL)
        axes.set_ylabel("share of right answers", fontsize=NORMAL)
    figure.legend(*axes.get_legend_handles_labels(), fontsize=NORMAL, loc="outside lower center", ncols=2)
    return figure


def _photograph(axes: Axes, pixels: NDArray[np.uint8], caption: str) -> None:
    axes.imshow(pixels)
    axes.set_axis_off()
    axes.set_title(caption, fontsize=SMALL)


def _bars(axes: Axes, predicted: NDArray[np.float64], truth: int, name: str) -> None:
    numbers = np.arange(1, len(predicted) + 1)
    bars = axes.bar(numbers, predicted, color=PLAIN, edgecolor=INK, linewidth=0.8, width=0.8)
    if truth >= 0:
        bars[truth].set(hatch=HATCH, facecolor="white", linewidth=1.4)
    axes.set(ylim=(0, 1), yticks=(0, 0.5, 1))
    axes.set_xticks(numbers[:: -(-len(numbers) // FEW_TICKS)])
    axes.tick_params(labelsize=SMALL, length=2)
    axes.set_title(name, fontsize=SMALL)


def _top_classes(axes: Axes, predicted: NDArray[np.float64], truth: int, names: Sequence[str], most: int = 5) -> None:
    shown = np.argsort(-predicted, kind="stable")[:most].tolist()
    if truth >= 0 and truth not in shown:
        shown.append(truth)
    bars = axes.barh(range(len(shown)), predicted[shown], color=PLAIN, edgecolor=INK, linewidth=0.8)
    if truth in shown:
        bars[shown.index(truth)].set(hatch=HATCH, facecolor="white", linewidth=1.4)
    axes.set(xlim=(0, 1), xticks=(0, 0.5, 1))
    axes.set_yticks(range(len(shown)), [names[index] for index in shown])
    axes.tick_params(labelsize=SMALL, length=2)
    axes.invert_yaxis()
