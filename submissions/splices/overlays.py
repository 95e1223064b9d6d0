"""Pictures of a judged photograph: heat map, mask, and both over the photograph. Readable without color vision."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from competition.utils.atomic_files import atomic_write
from submissions.reports.figures import LARGE, NORMAL, SMALL
from submissions.splices.detector import Detection

SIDE = 1000  # pixels of a drawn photograph's longer side
COLORS = "cividis"
SHARE = 0.5  # of the heat in an overlay; the rest is the photograph in gray
DARKER = 340  # the gray level, of 255, that would be drawn white: so that colors show
SCORE = "0: all alike, 1: unrelated"


@dataclass(frozen=True, eq=False)
class Overlay:
    """What is drawn over each other: a photograph in gray, uint8 (h, w), its heat, float32 (h, w), 0…1, and an outline,
    boolean (h, w), under a caption."""

    gray: NDArray[np.uint8]
    heat: NDArray[np.float32]
    outline: NDArray[np.bool_]
    caption: str


def overlay(
    pixels: NDArray[np.uint8],
    detection: Detection,
    caption: str,
    mask: NDArray[np.bool_] | None = None,
    side: int = SIDE,
) -> Overlay:
    """A photograph, uint8 (height, width, 3), made small for drawing, its longer side at most `side` pixels.

    Outlined is `mask` (height, width), boolean, where it is given, else where the heat is above its middle.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    gray = Image.fromarray(pixels).convert("L").resize(size)
    heat = np.asarray(Image.fromarray(detection.pixels()).resize(size, Image.Resampling.BILINEAR))
    outline = (
        heat > 0.5 if mask is None else np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).resize(size)) > 127
    )
    return Overlay(np.asarray(gray), heat, outline, caption)


def write_pictures(pixels: NDArray[np.uint8], detection: Detection, path: Path) -> None:
    """Write `path`-heat.png, -mask.png and -overlay.png of a photograph, each whole or not at all.

    The heat map is gray, of the photograph's size, black where the photograph fits together and white where it does
    not. The mask, too: 255 where the heat is above its middle, else 0. That is half-way between the least and the most
    suspicious cell (mean shift) or where the cut is cheapest (cuts), and so marks a part of every photograph, of an
    authentic one as well: the score tells whether to believe it.
    """
    heat = detection.pixels()
    for name, values in (("heat", np.rint(255 * heat)), ("mask", 255 * (heat > 0.5))):
        with atomic_write(path.with_name(f"{path.name}-{name}.png")) as partial:
            Image.fromarray(values.astype(np.uint8)).save(partial)
    drawn = overlay(pixels, detection, f"{path.name}: score {detection.score:.3f} ({SCORE})")
    height, width = drawn.gray.shape
    inches = 8 / max(height, width)
    figure = Figure(figsize=(max(4.0, inches * width) + 1.4, max(2.0, inches * height) + 0.6), layout="constrained")
    _bar(figure, [_draw(figure.subplots(), drawn, NORMAL)])
    with atomic_write(path.with_name(f"{path.name}-overlay.png")) as partial:
        figure.savefig(partial, dpi=120)


def sheet(overlays: Sequence[Overlay], title: str, columns: int = 4) -> Figure:
    """Several overlays beside each other."""
    rows = -(-len(overlays) // columns)
    figure = Figure(figsize=(3.6 * columns + 1, 2.9 * rows + 0.6), layout="constrained")
    figure.suptitle(title, fontsize=LARGE)
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in places[len(overlays) :]:
        axes.set_axis_off()
    _bar(figure, [_draw(axes, one, SMALL) for axes, one in zip(places, overlays, strict=False)])
    return figure


def _draw(axes: Axes, drawn: Overlay, size: float) -> Axes:
    axes.imshow(drawn.gray, cmap="gray", vmin=0, vmax=DARKER)
    axes.imshow(drawn.heat, cmap=COLORS, vmin=0, vmax=1, alpha=SHARE)
    if drawn.outline.any() and not drawn.outline.all():
        for color, thickness in (("black", 3.0), ("white", 1.2)):
            axes.contour(drawn.outline.astype(np.float32), levels=[0.5], colors=color, linewidths=thickness)
    axes.set(xticks=(), yticks=())
    axes.set_xlabel(drawn.caption, fontsize=size)
    return axes


def _bar(figure: Figure, drawn: Sequence[Axes]) -> None:
    bar = figure.colorbar(drawn[0].images[1], ax=list(figure.axes), shrink=0.6, aspect=30)
    bar.set_ticks([0, 1], labels=["fits\nthe rest", "does\nnot fit"], fontsize=SMALL)
