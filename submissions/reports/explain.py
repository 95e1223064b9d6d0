"""Explain the camera that a run predicts: evidence maps of images, and pictures of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from augment.crops import JPEG_BLOCK, center_offset
from augment.decode import read_pixels
from competition.utils.atomic_files import atomic_write
from models.evidence_maps import DctEvidence, dct_evidence, grad_cam, has_backbone, has_dct_evidence
from models.saved import MODEL, load_model
from submissions.reports.figures import LARGE_FONT, NORMAL_FONT, SMALL_FONT
from submissions.run import FRONT_END, Run

MAX_SIDE = 1024  # pixels: only the center of a larger photo is explained
MAX_PHOTOS = 20  # that get a picture of their own
MAX_ON_SHEET = 10  # photos on one picture
MAX_IN_COLUMN = 4  # photos below each other
SHEET = "evidence-maps.png"
FOR, AGAINST = (230, 110, 0), (0, 90, 200)  # orange and blue: told apart without color vision, and in gray
COLORS = LinearSegmentedColormap.from_list("evidence", [np.divide(c, 255) for c in (AGAINST, (247, 247, 247), FOR)])
OPACITY = 0.85  # of the strongest evidence over the photo
DARKEST, BRIGHTEST = 70, 215  # gray levels of the photo below the evidence
STRONG = 99  # percentile of the absolute contributions that gets the strongest color
CHANNELS, CHANNEL_CENTERS = ("luminance", "blue difference", "red difference"), (3.5, 12.5, 21.5)
LEGEND = "Orange speaks for the camera, blue against it. Frequencies rise to the right and downwards."
SMALLEST = 1e-9  # nats: no evidence at all


@dataclass(frozen=True, eq=False)
class Explanation:
    """An image with the evidence for a camera.

    Attributes:
        pixels: the part of the image that was explained, uint8 (height, width, 3).
        caption: text to show with it.
        dct: evidence in the DCT coefficients; None if no network reads them.
        cam: mean Grad-CAM of the backbones, float64 (rows, columns) in [0, 1]; None without a backbone.
    """

    pixels: NDArray[np.uint8]
    caption: str
    dct: DctEvidence | None
    cam: NDArray[np.float64] | None


def load_networks(run: Run, backbones: bool = True) -> dict[str, keras.Model]:
    """Load the networks that explain a run: the front end that the members share, and the members.

    A run with folds is explained by the networks that leave out the first fold.

    Args:
        run: a trained run with the task camera.
        backbones: also load the members if there is such a front end. Without them there is no Grad-CAM, and loading
            takes a second.

    Raises:
        InputError: a network is missing or damaged.
    """
    part = run.parts[0]
    front_end = part.front_end_folder / MODEL
    files = {FRONT_END: front_end} if front_end.exists() else {}
    members = part.members if backbones or not files else []
    files |= {member: part.member_folder(member) / MODEL for member in members[: None if backbones else 1]}
    return {name: load_model(path) for name, path in files.items()}


def can_explain(networks: Mapping[str, keras.Model]) -> bool:
    """Return whether `explain` finds any evidence with these networks."""
    return any(has_dct_evidence(network) or has_backbone(network) for network in networks.values())


def explain(
    networks: Mapping[str, keras.Model], pixels: NDArray[np.uint8], is_manipulated: bool, target: int, caption: str
) -> Explanation:
    """Compute the evidence for a camera.

    Args:
        networks: see `load_networks`. The first one that reads DCT coefficients explains them.
        pixels: an image whose corner lies on the JPEG grid, uint8 (height, width, 3), see `explained_part`.
        is_manipulated: whether it was recompressed, resized or gamma-corrected.
        target: index of the camera.
        caption: text to show with it.
    """
    readers = [network for network in networks.values() if has_dct_evidence(network)]
    dct = dct_evidence(readers[0], pixels, is_manipulated, target) if readers else None
    maps = [grad_cam(each, pixels, is_manipulated, target) for each in networks.values() if has_backbone(each)]
    size = pixels.shape[1] // JPEG_BLOCK, pixels.shape[0] // JPEG_BLOCK
    resized = [np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BILINEAR)) for each in maps]
    return Explanation(pixels, caption, dct, np.mean(resized, axis=0) if resized else None)


def explained_part(pixels: NDArray[np.uint8], patch: int) -> NDArray[np.uint8]:
    """Return the largest part of a photo, uint8 (height, width, 3), in whole blocks of the JPEG grid.

    The grid has the phase of the center crop of `patch` pixels, and both sides have at most `MAX_SIDE` pixels.

    Raises:
        InputError: the photo is smaller than `patch`.
    """
    parts = []
    for side in pixels.shape[:2]:
        first = center_offset(side, patch) % JPEG_BLOCK
        blocks = (side - first) // JPEG_BLOCK
        kept = min(blocks, MAX_SIDE // JPEG_BLOCK)
        first += (blocks - kept) // 2 * JPEG_BLOCK
        parts.append(slice(first, first + kept * JPEG_BLOCK))
    return pixels[parts[0], parts[1]]


def explain_photos(
    run: Run, photos: Sequence[Path], cameras: Sequence[str], manipulated: bool, folder: Path
) -> list[Path]:
    """Draw the evidence for the predicted cameras of photos; returns the paths of the pictures.

    Each of the first `MAX_PHOTOS` photos gets a picture, and the first `MAX_ON_SHEET` also a picture of all of them.

    Args:
        run: a trained run with the task camera.
        photos: their files.
        cameras: the camera to explain for each photo, one of the run's.
        manipulated: whether the photos were recompressed, resized or gamma-corrected.
        folder: for the pictures.

    Raises:
        InputError: a photo or a network cannot be read.
    """
    networks = load_networks(run)
    patch = max(recipe.test_patch for recipe in run.recipes.values())
    explained, written = [], list[Path]()
    for number, (photo, camera) in enumerate(zip(photos[:MAX_PHOTOS], cameras[:MAX_PHOTOS], strict=True), 1):
        pixels = explained_part(read_pixels(photo), patch)
        target = run.cameras.index(camera)
        found = explain(networks, pixels, manipulated, target, f"{photo.name}: {camera}")
        if number <= MAX_ON_SHEET:
            explained.append(found)
        path = folder / f"{number:02}-{photo.stem}.png"
        _save(draw_explanations([found], "Evidence for the predicted camera"), path)
        written.append(path)
    if len(explained) > 1:
        _save(draw_explanations(explained, "Evidence for the predicted cameras"), folder / SHEET)
        written.append(folder / SHEET)
    return written


def overlay(pixels: NDArray[np.uint8], values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Draw evidence over a photo in gray: orange speaks for the class, blue against it.

    Args:
        pixels: uint8 (height, width, 3).
        values: of regular cells of the photo, (rows, columns).

    Returns:
        uint8 (height, width, 3).
    """
    height, width = pixels.shape[:2]
    gray = np.asarray(Image.fromarray(pixels).convert("L"), np.float64)[..., None]
    gray = DARKEST + gray * (BRIGHTEST - DARKEST) / 255
    strength = (values / strongest(values)).clip(-1, 1).astype(np.float32)
    strength = np.asarray(Image.fromarray(strength).resize((width, height), Image.Resampling.NEAREST))[..., None]
    alpha = OPACITY * np.abs(strength)
    return np.rint(gray * (1 - alpha) + np.where(strength > 0, FOR, AGAINST) * alpha).astype(np.uint8)


def draw_explanations(explanations: Sequence[Explanation], title: str) -> Figure:
    """Draw images with the evidence of their blocks, of their frequencies, and the Grad-CAM, side by side.

    All explanations are by the same networks. More than `MAX_IN_COLUMN` are drawn in two columns.
    """
    panels = {"image": 1.0}
    if explanations[0].dct is not None:
        panels |= {"places": 1.0, "frequencies": 1.5}
    if explanations[0].cam is not None:
        panels["places by Grad-CAM"] = 1.0
    columns = 1 if len(explanations) <= MAX_IN_COLUMN else 2
    rows = -(-len(explanations) // columns)
    widths = [*panels.values()] * columns
    figure = Figure(figsize=(2.9 * sum(widths), 2.45 * rows + 0.9))
    figure.set_layout_engine("constrained", h_pad=0.02, w_pad=0.03)
    figure.suptitle(title, fontsize=LARGE_FONT)
    grid = figure.subplots(rows, len(widths), squeeze=False, width_ratios=widths)
    for axes in grid.ravel():
        axes.set(xticks=(), yticks=())
        axes.spines[:].set_visible(False)
    for axes, heading in zip(grid[0], [*panels] * columns, strict=True):
        axes.set_title(heading, fontsize=NORMAL_FONT)
    for row, explanation in zip(grid.reshape(-1, len(panels)), explanations, strict=False):
        _draw(list(row), explanation)
    figure.supxlabel(LEGEND, fontsize=NORMAL_FONT)
    return figure


def side_by_side(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place the maps of the channels, (3, 8, 8), side by side with a column of NaN between them: (8, 26)."""
    gap = np.full((len(frequencies[0]), 1), np.nan)
    return np.concatenate([frequencies[0], gap, frequencies[1], gap, frequencies[2]], axis=1)


def strongest(values: NDArray[np.floating]) -> float:
    """Return the absolute value that gets the strongest color; above 0."""
    return max(float(np.percentile(np.abs(values), STRONG)), SMALLEST)


def _draw(row: Sequence[Axes], explanation: Explanation) -> None:
    row[0].imshow(explanation.pixels)
    row[0].set_xlabel(explanation.caption.replace("$", r"\$"), fontsize=SMALL_FONT)  # no formulas
    if explanation.dct is not None:
        row[1].imshow(overlay(explanation.pixels, explanation.dct.blocks))
        row[1].set_xlabel(f"sum {explanation.dct.blocks.sum():+.1f} nats of log-odds", fontsize=SMALL_FONT)
        limit = strongest(explanation.dct.frequencies)
        row[2].imshow(side_by_side(explanation.dct.frequencies), cmap=COLORS, vmin=-limit, vmax=limit)
        row[2].set_xticks(CHANNEL_CENTERS, CHANNELS, fontsize=SMALL_FONT)
        row[2].tick_params(length=0)
    if explanation.cam is not None:
        row[-1].imshow(overlay(explanation.pixels, explanation.cam))


def _save(figure: Figure, path: Path) -> None:
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=110)
