"""Charts as inline SVG, whose colors and fonts come from the style sheet of the page, so that they also fit dark pages.

Every chart has a text alternative. Names are escaped by the XML library.
"""

import math
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
from numpy.typing import ArrayLike

from competition.metrics.calibration import Reliability
from competition.utils.tables import format_interval

WIDTH = 440  # pixels: a chart fits a telephone without being reduced much
FONT = 13  # pixels
ROW = 40  # pixels of height for one interval
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 30, 44  # margins of charts with two axes, pixels; the legend is in the top margin
CURVES_HEIGHT, SQUARE = 240, 380  # pixels
MAX_TICKS = 5


def interval_chart(labels: Sequence[str], values: ArrayLike, lows: ArrayLike, highs: ArrayLike, what: str) -> str:
    """Draw values with their intervals, one below the other.

    Args:
        labels: name of each value.
        values, lows, highs: the values and the ends of their intervals, all (labels,).
        what: the quantity, for the axis.
    """
    points = np.stack([np.asarray(each, np.float64) for each in (values, lows, highs)], axis=1)
    ticks = nice_ticks(points.min(), points.max())
    inner, height = WIDTH - 2 * RIGHT, ROW * len(labels)
    rows = [f"{label}: {format_interval(*row)}" for label, row in zip(labels, points.tolist(), strict=True)]
    svg = _svg(height + BOTTOM, f"{what} with 95 % intervals. {'; '.join(rows)}.")

    def x(value: float) -> float:
        return RIGHT + inner * (value - ticks[0]) / (ticks[-1] - ticks[0])

    for tick in ticks:
        _line(svg, x(tick), 0, x(tick), height, "grid")
        _text(svg, x(tick), height + 18, format_tick(tick, ticks), "middle", "muted")
    _text(svg, WIDTH / 2, height + 36, what, "middle", "muted")
    for row, (label, (value, low, high)) in enumerate(zip(labels, points.tolist(), strict=True)):
        base = ROW * row
        _text(svg, RIGHT, base + 14, label, "start", "ink")
        _text(svg, WIDTH - RIGHT, base + 14, f"{value:.3f}", "end", "ink")
        _line(svg, x(low), base + 26, x(high), base + 26, "interval")
        _dot(svg, x(value), base + 26, 5, "series-1")
    return _string(svg)


def curves_chart(curves: Mapping[str, tuple[ArrayLike, ArrayLike]], x_label: str, y_label: str, title: str) -> str:
    """Draw curves over a common axis, such as the losses of training and validation over the epochs.

    Args:
        curves: name → (x, y), both (points,); at most three. Points with a NaN are left out.
        x_label, y_label: of the axes.
        title: what the chart shows, for the text alternative.
    """
    finite = {}
    for name, pair in curves.items():
        points = np.stack([np.asarray(values, np.float64) for values in pair], axis=1)
        finite[name] = points[np.isfinite(points).all(axis=1)]
    together = np.concatenate(list(finite.values()))
    ends = [f"{name} from {points[0, 1]:.3f} to {points[-1, 1]:.3f}" for name, points in finite.items() if len(points)]
    x_ticks, y_ticks = (nice_ticks(*_range(together[:, axis]), whole=axis == 0) for axis in (0, 1))
    svg, place = _axes(CURVES_HEIGHT, x_ticks, y_ticks, x_label, y_label, f"{title}: {'; '.join(ends)}.")
    for number, (name, points) in enumerate(finite.items(), 1):
        places = [place(*point) for point in points.tolist()]
        if len(places) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            SubElement(svg, "polyline", {"points": path, "class": f"curve curve-{number}"})
        else:
            for x, y in places:
                _dot(svg, x, y, 4, f"series-{number}")
        left = LEFT + 12 + 130 * (number - 1)
        _line(svg, left, 12, left + 22, 12, f"curve curve-{number}")
        _text(svg, left + 28, 16, name, "start", "muted")
    return _string(svg)


def reliability_chart(diagram: Reliability, title: str) -> str:
    """Draw the accuracy of groups of images against the probability of their predicted classes, with 95 % intervals."""
    lowest = math.floor(10 * float(min(diagram.confidence.min(), diagram.low.min()))) / 10
    ticks = nice_ticks(min(lowest, 0.9), 1.0)
    columns = (diagram.confidence, diagram.accuracy, diagram.low, diagram.high)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    words = [f"probability {row[0]:.3f}, accuracy {format_interval(*row[1:])}" for row in rows]
    svg, place = _axes(
        SQUARE, ticks, ticks, "probability of the predicted class", "accuracy", f"{title}: {'; '.join(words)}."
    )
    _line(svg, *place(ticks[0], ticks[0]), *place(ticks[-1], ticks[-1]), "diagonal")
    for confidence, accuracy, low, high in rows:
        _line(svg, *place(confidence, low), *place(confidence, high), "interval")
        _dot(svg, *place(confidence, accuracy), 5, "series-1")
    return _string(svg)


def nice_ticks(low: float, high: float, whole: bool = False) -> list[float]:
    """Return ascending ticks at steps of 1, 2 or 5 times a power of ten that enclose `low` and `high`.

    With `whole`, ticks are whole numbers. There are at least two ticks and at most `MAX_TICKS` + 2.
    """
    span = max(high - low, 1e-3 * max(1.0, abs(high)))
    power = 10.0 ** math.floor(math.log10(span / MAX_TICKS))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= span / MAX_TICKS)
    step = max(step, 1.0) if whole else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, max(last, first + 1) + 1)]


def format_tick(tick: float, ticks: Sequence[float]) -> str:
    """Return a tick with as many decimals as the distance of the `ticks` needs."""
    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
    return f"{tick:.{decimals}f}"


def _range(values: np.ndarray) -> tuple[float, float]:
    return (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)


class _Place:
    """Maps values to pixels."""

    def __init__(self, height: int, x_ticks: Sequence[float], y_ticks: Sequence[float]) -> None:
        self.x, self.y, self.height = (x_ticks[0], x_ticks[-1]), (y_ticks[0], y_ticks[-1]), height

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        right = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return LEFT + right * (WIDTH - LEFT - RIGHT), self.height - BOTTOM - up * (self.height - TOP - BOTTOM)


def _axes(
    height: int, x_ticks: Sequence[float], y_ticks: Sequence[float], x_label: str, y_label: str, alternative: str
) -> tuple[Element, _Place]:
    svg, place = _svg(height, alternative), _Place(height, x_ticks, y_ticks)
    for tick in y_ticks:
        left, y = place(x_ticks[0], tick)
        _line(svg, left, y, WIDTH - RIGHT, y, "grid")
        _text(svg, left - 8, y + 4, format_tick(tick, y_ticks), "end", "muted")
    for tick in x_ticks:
        x, bottom = place(tick, y_ticks[0])
        _line(svg, x, bottom, x, bottom + 5, "axis")
        _text(svg, x, bottom + 19, format_tick(tick, x_ticks), "middle", "muted")
    _line(svg, *place(x_ticks[0], y_ticks[0]), *place(x_ticks[-1], y_ticks[0]), "axis")
    _text(svg, (LEFT + WIDTH - RIGHT) / 2, height - 6, x_label, "middle", "muted")
    middle = (TOP + height - BOTTOM) / 2
    _text(svg, 12, middle, y_label, "middle", "muted", rotate=f"rotate(-90 12 {middle:.1f})")
    return svg, place


def _svg(height: int, alternative: str) -> Element:
    box = {"viewBox": f"0 0 {WIDTH} {height}", "role": "img", "aria-label": alternative, "class": "chart"}
    return Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "font-size": str(FONT), **box})


def _line(svg: Element, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
    ends = zip(("x1", "y1", "x2", "y2"), (x1, y1, x2, y2), strict=True)
    SubElement(svg, "line", {**{name: f"{value:.1f}" for name, value in ends}, "class": kind})


def _dot(svg: Element, x: float, y: float, radius: float, kind: str) -> None:
    SubElement(svg, "circle", {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": str(radius), "class": kind})


def _text(svg: Element, x: float, y: float, text: str, anchor: str, kind: str, rotate: str = "") -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "class": kind}
    SubElement(svg, "text", place | ({"transform": rotate} if rotate else {})).text = text


def _string(svg: Element) -> str:
    return tostring(svg, encoding="unicode")
