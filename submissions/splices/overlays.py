"""Pictures of a detection: heat map, mask, and both over the photo. Readable without color vision.

Tested by tests/commands/test_splices.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from competition.utils.atomic_files import atomic_write
from submissions.reports.figures import LARGE_FONT, NORMAL_FONT, SMALL_FONT
from submissions.splices.detector import Detection

MAX_SIDE = 1000  # pixels of the longer side of a drawn photo
COLOR_MAP = "cividis"
HEAT_OPACITY = 0.5
WHITE_LEVEL = 340  # gray level drawn as white; above 255, so that the photo is darker than the heat map


@dataclass(frozen=True, eq=False)
class Overlay:
    """The layers of a picture.

    Attributes:
        gray: the photo, uint8 (h, w).
        heat: float32 (h, w) in [0, 1].
        outline: boolean (h, w); its border is drawn.
        caption: text below.
    """

    gray: NDArray[np.uint8]
    heat: NDArray[np.float32]
    outline: NDArray[np.bool_]
    caption: str


def make_overlay(
    pixels: NDArray[np.uint8],
    detection: Detection,
    caption: str,
    mask: NDArray[np.bool_] | None = None,
    max_side: int = MAX_SIDE,
) -> Overlay:
    """Return the layers of a photo, uint8 (height, width, 3), reduced to at most `max_side` pixels on its longer side.

    The outline is that of `mask`, boolean (height, width), or without a mask that of the heat map above 0.5. A photo
    that is consistent and has no mask has no heat.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, max_side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    gray = Image.fromarray(pixels).convert("L").resize(size)
    heat = np.asarray(Image.fromarray(detection.upsampled_heat()).resize(size, Image.Resampling.BILINEAR))
    if mask is not None:
        outline = np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).resize(size)) > 127
    elif detection.is_consistent:
        heat, outline = np.zeros_like(heat), np.zeros(heat.shape, bool)
    else:
        outline = heat > 0.5
    return Overlay(np.asarray(gray), heat, outline, caption)


def verdict(detection: Detection) -> str:
    """Describe the score of a photo and what it says."""
    if detection.threshold is None:
        return f"score {detection.score:.3f}"
    sign, word = ("≤", "consistent") if detection.is_consistent else (">", "inconsistent")
    return f"{word}: score {detection.score:.2f} {sign} {detection.threshold:.2f}"


def write_pictures(pixels: NDArray[np.uint8], detection: Detection, path: Path) -> None:
    """Write the pictures of a photo, uint8 (height, width, 3): `path`-heat.png, `path`-mask.png, `path`-overlay.png.

    The heat map has the size of the photo; black is consistent with the rest of the photo and white is not. It always
    has the full range. The mask is 255 where the heat is above 0.5, else 0. That level is half-way between the least
    and the most suspicious cell (mean shift) or at the cheapest cut (normalized cuts). The mask of a consistent photo
    is 0 everywhere.
    """
    heat = detection.upsampled_heat()
    mask = np.where((heat > 0.5) & (not detection.is_consistent), np.uint8(255), np.uint8(0))
    levels = np.rint(np.multiply(heat, 255, out=heat), out=heat).astype(np.uint8)  # in place: 48 MB for 12 megapixels
    del heat
    for name, values in (("heat", levels), ("mask", mask)):
        with atomic_write(path.with_name(f"{path.name}-{name}.png")) as partial:
            Image.fromarray(values).save(partial)
    del levels, mask
    overlay = make_overlay(pixels, detection, f"{path.name}: {verdict(detection)}")
    height, width = overlay.gray.shape
    inches = 8 / max(height, width)
    figure = Figure(figsize=(max(4.0, inches * width) + 1.4, max(2.0, inches * height) + 0.6), layout="constrained")
    _add_color_bar(figure, [_draw(figure.subplots(), overlay, NORMAL_FONT)])
    with atomic_write(path.with_name(f"{path.name}-overlay.png")) as partial:
        figure.savefig(partial, dpi=120)


def draw_overlays(overlays: Sequence[Overlay], title: str, columns: int = 4) -> Figure:
    """Draw several overlays in rows."""
    rows = -(-len(overlays) // columns)
    figure = Figure(figsize=(3.6 * columns + 1, 2.9 * rows + 0.6), layout="constrained")
    figure.suptitle(title, fontsize=LARGE_FONT)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(overlays) :]:
        axes.set_axis_off()
    drawn = [_draw(axes, overlay, SMALL_FONT) for axes, overlay in zip(panels, overlays, strict=False)]
    _add_color_bar(figure, drawn)
    return figure


def _draw(axes: Axes, overlay: Overlay, font_size: float) -> Axes:
    axes.imshow(overlay.gray, cmap="gray", vmin=0, vmax=WHITE_LEVEL)
    axes.imshow(overlay.heat, cmap=COLOR_MAP, vmin=0, vmax=1, alpha=HEAT_OPACITY)
    if overlay.outline.any() and not overlay.outline.all():
        for color, thickness in (("black", 3.0), ("white", 1.2)):
            axes.contour(overlay.outline.astype(np.float32), levels=[0.5], colors=color, linewidths=thickness)
    axes.set(xticks=(), yticks=())
    axes.set_xlabel(overlay.caption, fontsize=font_size)
    return axes


def _add_color_bar(figure: Figure, drawn: Sequence[Axes]) -> None:
    bar = figure.colorbar(drawn[0].images[1], ax=list(figure.axes), shrink=0.6, aspect=30)
    bar.set_ticks([0, 1], labels=["consistent", "inconsistent"], fontsize=SMALL_FONT)
