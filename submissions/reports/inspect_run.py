"""Inspect a run: collect its manifest, photos and predictions, and draw them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from augment.decode import read_pixels
from competition.manipulation import UNALTERED
from competition.metrics.calibration import Reliability, reliability
from competition.metrics.log_loss import log_losses
from competition.settings import SETTINGS, UNKNOWN
from competition.utils.errors import InputError
from submissions.blending import blend_members
from submissions.prediction_cache import load_members
from submissions.reports import figures
from submissions.run import SIMULATED, Run

MAX_RANKED = 5  # best photos, and as many worst ones
MAX_ON_SHEET = 20  # photos on the contact sheet
MAX_SIDE = 320  # pixels of the longer side of a drawn photo


@dataclass(frozen=True, eq=False)
class HeadPredictions:
    """Predictions of one head for the validation images.

    Attributes:
        classes: class names.
        probabilities: float64 (images, classes).
        truth: indices of the true classes, int32 (images,), -1 if unknown.
    """

    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    truth: NDArray[np.int32]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether the true class is known, boolean (images,)."""
        return self.truth != UNKNOWN

    @property
    def predicted(self) -> NDArray[np.integer]:
        """Indices of the most probable classes, (images,)."""
        return self.probabilities.argmax(axis=1)

    def log_loss(self) -> NDArray[np.float64]:
        """Return the log loss of every image, (images,); NaN if its true class is unknown."""
        return np.where(self.known, log_losses(self.probabilities, np.maximum(self.truth, 0)), np.nan)


def draw_run(run: Run, folder: Path) -> list[Path]:
    """Draw the figures of a run into a folder, each as PNG and SVG; returns their paths.

    The figures are the best and the worst photos, the settings of the photos (if any are known), a contact sheet, a
    confusion matrix for every head, and reliability diagrams.

    Raises:
        InputError: the run has no predictions, or a photo cannot be read. No file is written then.
    """
    by_head = collect_predictions(run)
    unaltered = np.flatnonzero(run.validation["manipulation"] == UNALTERED)
    simulated = " simulated" if SIMULATED in run.note else ""
    photos = f"{len(unaltered)}{simulated} validation photos"
    images = photos + (", each also manipulated" if len(run.validation) > len(unaltered) else "")
    ranked = {head: predictions for head, predictions in by_head.items() if head in SETTINGS} or by_head
    best, worst = find_best_and_worst(ranked, unaltered)
    sample = np.sort(np.random.default_rng(run.seed).permutation(unaltered)[:MAX_ON_SHEET])
    drawn = {
        "best-worst": figures.draw_best_and_worst(
            make_examples(run, ranked, best),
            make_examples(run, ranked, worst),
            _classes(ranked),
            f"The best and the worst of {photos}",
        ),
        "contact-sheet": figures.draw_contact_sheet(
            make_examples(run, by_head, sample),
            _classes(by_head),
            f"{len(sample)} of {photos}: ✓ correct, ✗ wrong, ? unknown",
        ),
        "reliability": figures.draw_reliability_diagrams(
            {head: measure_reliability(run, predictions) for head, predictions in by_head.items()},
            f"Reliability on {images}",
        ),
    }
    for head, predictions in by_head.items():
        known = predictions.known
        drawn[f"confusion-{head}"] = figures.draw_confusion_matrix(
            predictions.truth[known],
            predictions.predicted[known],
            predictions.classes,
            f"{figures.HEAD_LABELS[head]}, {images}",
        )
    table = run.manifest[run.manifest["split"] != "test"]
    columns = {setting.column: table[setting.column] for setting in SETTINGS.values()}
    if any(column.notna().any() for column in columns.values()):
        edges = run.targets.edges if run.task.settings else {}
        drawn["settings-space"] = figures.draw_settings_space(
            columns,
            {SETTINGS[name].column: inner for name, inner in edges.items()},
            f"Settings of {len(table)}{simulated} training and validation photos",
        )
    return [path for name, figure in drawn.items() for path in figures.save_figure(figure, folder / name)]


def collect_predictions(run: Run) -> dict[str, HeadPredictions]:
    """Return the blended predictions of a run for its validation images, by head.

    Raises:
        InputError: a head has no predictions.
    """
    truth = run.targets.labels(run.validation)
    by_head = {}
    for head, classes in run.targets.classes.items():
        members = load_members(run, "validation", head)
        if not members:
            raise InputError(f"the run {run.folder} has no predictions of its head {head}; run predict first")
        by_head[head] = HeadPredictions(classes, blend_members(members), truth[head])
    return by_head


def measure_reliability(run: Run, predictions: HeadPredictions) -> Reliability:
    """Return the reliability diagram of one head on the validation images. Whole photos are resampled."""
    known = predictions.known
    confidence, correct = predictions.probabilities.max(axis=1), predictions.predicted == predictions.truth
    return reliability(confidence[known], correct[known], run.validation["path"].to_numpy()[known])


def find_best_and_worst(
    by_head: Mapping[str, HeadPredictions], images: NDArray[np.integer]
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Return the images with the smallest log loss, best first, and with the largest log loss, worst first.

    Args:
        by_head: the log loss of an image is summed over these heads.
        images: row numbers of images to choose from. Images with an unknown label are left out.

    Raises:
        InputError: fewer than 2 images have known labels for all heads.
    """
    loss = np.sum([predictions.log_loss() for predictions in by_head.values()], axis=0)[images]
    ranked = images[np.argsort(loss, kind="stable")][: int(np.isfinite(loss).sum())]  # NaN is sorted to the end
    if len(ranked) < 2:
        raise InputError(
            f"the best and the worst photos need at least 2 validation photos with known {', '.join(by_head)}; "
            f"found {len(ranked)}"
        )
    count = min(MAX_RANKED, len(ranked) // 2)
    return ranked[:count], ranked[::-1][:count]


def make_examples(
    run: Run, by_head: Mapping[str, HeadPredictions], images: NDArray[np.integer]
) -> list[figures.Example]:
    """Read the photos of validation images, given by row number, and caption them with log loss and settings.

    Raises:
        InputError: a photo cannot be read.
    """
    manifest = run.manifest.set_index("path")
    paths = run.validation["path"]
    loss = np.nansum([predictions.log_loss() for predictions in by_head.values()], axis=0)
    examples = []
    for image in images.tolist():
        path = paths[image]
        caption = f"{Path(path).name}, log loss {loss[image]:.2f}\n{_describe_settings(manifest.loc[path])}"
        predicted = {head: predictions.probabilities[image] for head, predictions in by_head.items()}
        truth = {head: int(predictions.truth[image]) for head, predictions in by_head.items()}
        examples.append(figures.Example(_thumbnail(read_pixels(run.data / path)), caption.strip(), predicted, truth))
    return examples


def _thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = Image.fromarray(pixels)
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    return np.asarray(image)


def _describe_settings(row: pd.Series) -> str:
    """Settings of a row of the manifest, such as `f/2.8  1/60 s  ISO 400`, without unknown ones."""
    f_number, time, iso = (row[name] for name in ("f_number", "exposure_time", "iso"))
    parts = [f"f/{f_number:g}" if f_number > 0 else "", f"ISO {iso:g}" if iso > 0 else ""]
    if time > 0:
        parts.insert(1, f"1/{1 / time:.0f} s" if time < 0.3 else f"{round(time, 2):g} s")
    return "  ".join(filter(None, parts))


def _classes(by_head: Mapping[str, HeadPredictions]) -> dict[str, tuple[str, ...]]:
    return {head: predictions.classes for head, predictions in by_head.items()}
