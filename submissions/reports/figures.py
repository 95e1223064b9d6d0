"""Figures of a run, drawn from arrays and tables. Readable in gray; Matplotlib's global state is not used."""

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

SMALL_FONT, NORMAL_FONT, LARGE_FONT = 8, 10, 13  # points
BAR_COLOR, LINE_COLOR = "0.75", "0.1"  # grays
TRUE_HATCH = "////"  # of the true class
MARGIN = 0.05  # beside the outermost points of a reliability diagram
MAX_BAR_TICKS = 5  # that fit below the bars of a setting
MAX_COUNTED_CLASSES = 12  # of a confusion matrix with numbers in its cells
HEAD_LABELS = {"aperture": "aperture", "iso": "ISO", "exposure_time": "exposure time", "camera": "camera"}
COLUMN_LABELS = {"f_number": "f-number", "iso": "ISO", "exposure_time": "exposure time in seconds"}
COLUMN_TICKS = {  # as on a camera
    "f_number": ("1", "1.4", "2", "2.8", "4", "5.6", "8", "11", "16", "22", "32"),
    "iso": ("25", "50", *(str(100 * 2**stop) for stop in range(12))),
    "exposure_time": ("1/16000", "1/4000", "1/1000", "1/250", "1/60", "1/15", "1/4", "1", "4", "15", "60"),
}
COUNT_TICKS = [digit * 10**power for power in range(6) for digit in (1, 2, 5)]
COUNT_COLORS = ListedColormap(colormaps["Greys"](np.linspace(0.25, 1, 256)))  # not white, so that one photo is visible
SPACE_PANELS = (("f_number", "iso"), ("iso", "exposure_time"), ("exposure_time", "f_number"))


@dataclass(frozen=True, eq=False)
class Example:
    """A photo with its predictions.

    Attributes:
        pixels: uint8 (height, width, 3).
        caption: text to show with the photo.
        predicted: head → probabilities (classes,).
        truth: head → index of the true class, -1 if unknown.
    """

    pixels: NDArray[np.uint8]
    caption: str
    predicted: Mapping[str, NDArray[np.float64]]
    truth: Mapping[str, int]


def save_figure(figure: Figure, path: Path) -> list[Path]:
    """Write `path`.png and `path`.svg atomically; returns their paths."""
    written = [path.with_name(f"{path.name}{suffix}") for suffix in (".png", ".svg")]
    for file in written:
        with atomic_write(file) as partial:
            figure.savefig(partial, dpi=120, metadata={"Date": None} if file.suffix == ".svg" else None)
        figure.set_layout_engine("none")  # the first file computed the layout, which is most of the work
    return written


def draw_best_and_worst(
    best: Sequence[Example], worst: Sequence[Example], classes: Mapping[str, Sequence[str]], title: str
) -> Figure:
    """Draw two rows of photos with bars of their predicted probabilities (figure 2 of Laurence & Murphy 2018).

    Args:
        best, worst: examples of the two rows.
        classes: head → class names. If `camera` is the only head, the bars are its five most probable classes, and the
            true class if it is not among them.
        title: of the figure.
    """
    columns = max(len(best), len(worst))
    by_name = list(classes) == ["camera"]
    figure = Figure(figsize=(3.1 * columns, 9.6), layout="constrained")
    figure.suptitle(title, fontsize=LARGE_FONT)
    rows = figure.subfigures(3, 1, squeeze=False, height_ratios=(1, 1, 0.05 if by_name else 0.14), hspace=0.03)[:, 0]
    for row, examples, name in zip(rows, (best, worst), ("best", "worst"), strict=False):
        row.suptitle(f"{name}, by log loss", fontsize=NORMAL_FONT, fontweight="bold", x=0.01, ha="left")
        cells = row.subfigures(1, columns, squeeze=False, wspace=0.02)[0]
        for cell, example in zip(cells, examples, strict=False):
            upper, lower = cell.subfigures(2, 1, height_ratios=(1.35, 1))
            _draw_photo(upper.subplots(), example.pixels, example.caption)
            if by_name:
                _draw_top_classes(
                    lower.subplots(), example.predicted["camera"], example.truth["camera"], classes["camera"]
                )
            else:
                panels = lower.subplots(1, len(classes), sharey=True, squeeze=False)[0]
                for axes, head in zip(panels, classes, strict=True):
                    _draw_bars(axes, example.predicted[head], example.truth[head], HEAD_LABELS[head])
    legend = ["bars: predicted probability; hatched: the true class"]
    if not by_name:
        legend += [
            f"{HEAD_LABELS[head]}:  " + "   ".join(f"{number} {name}" for number, name in enumerate(names, 1))
            for head, names in classes.items()
        ]
    rows[2].text(0.01, 0.95, "\n".join(legend), fontsize=SMALL_FONT, va="top")
    return figure


def draw_settings_space(columns: Mapping[str, ArrayLike], edges: Mapping[str, ArrayLike], title: str) -> Figure:
    """Draw the settings of photos, pair by pair, on logarithmic axes (figure 3 of Laurence & Murphy 2018).

    Args:
        columns: manifest column → values (photos,), NaN if unknown.
        edges: manifest column → edges of the bins, drawn as dashed lines.
        title: of the figure.

    Darker markers stand for more photos.
    """
    figure = Figure(figsize=(15, 5), layout="constrained")
    figure.suptitle(title, fontsize=LARGE_FONT)
    for axes, (x, y) in zip(figure.subplots(1, 3), SPACE_PANELS, strict=True):
        pairs = np.stack([np.asarray(columns[x], np.float64), np.asarray(columns[y], np.float64)], axis=1)
        pairs = pairs[np.isfinite(pairs).all(axis=1)]
        points, counts = np.unique(pairs, axis=0, return_counts=True)
        order = np.argsort(counts)  # frequent points on top
        largest = max(2, counts.max(initial=1))
        markers = axes.scatter(
            *points[order].T,
            c=counts[order],
            cmap=COUNT_COLORS,
            norm=LogNorm(1, largest),
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
            labels = [label for label in COLUMN_TICKS[name] if low <= float(Fraction(label)) <= high]
            axis.set_ticks([float(Fraction(label)) for label in labels], labels, fontsize=SMALL_FONT)
            axis.set_minor_locator(NullLocator())
            axis.set_label_text(COLUMN_LABELS[name], fontsize=NORMAL_FONT)
        axes.tick_params(axis="x", rotation=45)
        bar = figure.colorbar(markers, ax=axes, shrink=0.8)
        ticks = [*(count for count in COUNT_TICKS if count < largest / 1.4), int(largest)]
        bar.set_ticks(ticks, labels=list(map(str, ticks)), fontsize=SMALL_FONT)
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.set_label("photos", fontsize=SMALL_FONT)
    return figure


def draw_contact_sheet(
    examples: Sequence[Example], classes: Mapping[str, Sequence[str]], title: str, columns: int = 5
) -> Figure:
    """Draw photos with the predicted class of every head below, and the true class if the prediction is wrong.

    Args:
        examples: the photos.
        classes: head → class names.
        title: of the figure.
        columns: number of photos in a row.
    """
    rows = -(-len(examples) // columns)
    lines = len(classes) + 2
    figure = Figure(figsize=(3.2 * columns, (2.3 + 0.19 * lines) * rows + 0.6))
    figure.set_layout_engine("constrained", h_pad=0.1)
    figure.suptitle(title, fontsize=LARGE_FONT)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set(xticks=(), yticks=())
        axes.spines[:].set_visible(False)
    for axes, example in zip(grid, examples, strict=False):
        text = [example.caption]
        for head, names in classes.items():
            predicted, truth = int(example.predicted[head].argmax()), example.truth[head]
            mark = "?" if truth < 0 else "✓" if predicted == truth else "✗"
            text.append(f"{mark} {names[predicted]}" + (f" (is {names[truth]})" if mark == "✗" else ""))
        axes.imshow(example.pixels)
        axes.set_xlabel("\n".join(text), fontsize=SMALL_FONT, loc="left", multialignment="left", linespacing=1.35)
    return figure


def draw_confusion_matrix(truth: ArrayLike, predicted: ArrayLike, classes: Sequence[str], title: str) -> Figure:
    """Draw a confusion matrix: true classes (rows) against predicted classes (columns), shaded by the share of the row.

    Args:
        truth, predicted: (images,), indices into `classes`.
        classes: class names.
        title: of the figure.
    """
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (np.asarray(truth), np.asarray(predicted)), 1)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    side = 3.2 + 0.55 * min(len(classes), 24)
    figure = Figure(figsize=(side + 1.6, side), layout="constrained")
    figure.suptitle(title, fontsize=NORMAL_FONT)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Greys", vmin=0, vmax=1)
    size = NORMAL_FONT if len(classes) <= MAX_COUNTED_CLASSES else SMALL_FONT
    axes.set_xticks(range(len(classes)), classes, rotation=40, ha="right", rotation_mode="anchor", fontsize=size)
    axes.set_yticks(range(len(classes)), classes, fontsize=size)
    axes.set_xlabel("predicted class", fontsize=NORMAL_FONT)
    axes.set_ylabel("true class", fontsize=NORMAL_FONT)
    if len(classes) <= MAX_COUNTED_CLASSES:
        for (row, column), count in np.ndenumerate(counts):
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=NORMAL_FONT)
    figure.colorbar(image, ax=axes, shrink=0.8).set_label("share of the row", fontsize=SMALL_FONT)
    return figure


def draw_reliability_diagrams(diagrams: Mapping[str, Reliability], title: str) -> Figure:
    """Draw one reliability diagram per head: accuracy against confidence, in groups of equally many images.

    Args:
        diagrams: head → groups, intervals and calibration error.
        title: of the figure.
    """
    figure = Figure(figsize=(max(6.5, 4.6 * len(diagrams)), 5.4), layout="constrained")
    figure.suptitle(title, fontsize=LARGE_FONT if len(diagrams) > 1 else NORMAL_FONT)
    for axes, (head, diagram) in zip(
        figure.subplots(1, len(diagrams), squeeze=False)[0], diagrams.items(), strict=True
    ):
        axes.plot((0, 1), (0, 1), color="0.5", linestyle="--", linewidth=1, label="perfect calibration")
        axes.errorbar(
            diagram.confidence,
            diagram.accuracy,
            np.stack([diagram.accuracy - diagram.low, diagram.high - diagram.accuracy]),
            color=LINE_COLOR,
            marker="o",
            linewidth=1,
            elinewidth=1,
            capsize=3,
            label="predictions, with 95 % intervals",
        )
        axes.set(xlim=(diagram.confidence[0] - MARGIN, diagram.confidence[-1] + MARGIN))
        axes.set(ylim=(-MARGIN / 2, 1 + MARGIN / 2))
        axes.set_title(
            f"{HEAD_LABELS[head]}\nexpected calibration error {diagram.error:.3f}\n"
            f"(95 %, bias-corrected: {diagram.error_low:.3f} to {diagram.error_high:.3f})",
            fontsize=NORMAL_FONT,
        )
        axes.set_xlabel("probability of the predicted class", fontsize=NORMAL_FONT)
        axes.set_ylabel("accuracy", fontsize=NORMAL_FONT)
    figure.legend(*axes.get_legend_handles_labels(), fontsize=NORMAL_FONT, loc="outside lower center", ncols=2)
    return figure


def _draw_photo(axes: Axes, pixels: NDArray[np.uint8], caption: str) -> None:
    axes.imshow(pixels)
    axes.set_axis_off()
    axes.set_title(caption, fontsize=SMALL_FONT)


def _draw_bars(axes: Axes, predicted: NDArray[np.float64], truth: int, name: str) -> None:
    """Draw the probabilities of all classes, numbered from 1; `truth` is the hatched class, -1 for none."""
    numbers = np.arange(1, len(predicted) + 1)
    bars = axes.bar(numbers, predicted, color=BAR_COLOR, edgecolor=LINE_COLOR, linewidth=0.8, width=0.8)
    if truth >= 0:
        bars[truth].set(hatch=TRUE_HATCH, facecolor="white", linewidth=1.4)
    axes.set(ylim=(0, 1), yticks=(0, 0.5, 1))
    axes.set_xticks(numbers[:: -(-len(numbers) // MAX_BAR_TICKS)])
    axes.tick_params(labelsize=SMALL_FONT, length=2)
    axes.set_title(name, fontsize=SMALL_FONT)


def _draw_top_classes(
    axes: Axes, predicted: NDArray[np.float64], truth: int, names: Sequence[str], count: int = 5
) -> None:
    """Draw the probabilities of the `count` most probable classes and of the true class, -1 if unknown."""
    classes = np.argsort(-predicted, kind="stable")[:count].tolist()
    if truth >= 0 and truth not in classes:
        classes.append(truth)
    bars = axes.barh(range(len(classes)), predicted[classes], color=BAR_COLOR, edgecolor=LINE_COLOR, linewidth=0.8)
    if truth in classes:
        bars[classes.index(truth)].set(hatch=TRUE_HATCH, facecolor="white", linewidth=1.4)
    axes.set(xlim=(0, 1), xticks=(0, 0.5, 1))
    axes.set_yticks(range(len(classes)), [names[index] for index in classes])
    axes.tick_params(labelsize=SMALL_FONT, length=2)
    axes.invert_yaxis()
