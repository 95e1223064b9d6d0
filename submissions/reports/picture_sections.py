"""Sections of a report with pictures: the best and the worst photos, and evidence maps.

Tested by tests/submissions/reports/test_report.py.
"""

import base64
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augment.decode import read_pixels
from augment.patches import make_evaluation_patch
from submissions.reports.contents import Bar, EvidenceRow, Photo, Picture, Section
from submissions.reports.explain import CHANNELS, COLORS, Explanation, explain, overlay, side_by_side, strongest
from submissions.reports.figures import Example
from submissions.reports.inspect_run import HeadPredictions, find_best_and_worst, make_examples
from submissions.run import Run

BARS = 3  # most probable classes of a photo
EXPLAINED = 4  # images with evidence maps
ZOOM = 12  # pixels of the picture for one frequency
JPEG_QUALITY = 85


def photos_section(run: Run, by_head: Mapping[str, HeadPredictions], images: NDArray[np.integer]) -> Section:
    """The best and the worst of the validation images, given by row number, by log loss; see `find_best_and_worst`."""
    best, worst = find_best_and_worst(by_head, images)
    photos = {
        "Best photos": [_photo(example, by_head) for example in make_examples(run, by_head, best)],
        "Worst photos": [_photo(example, by_head) for example in make_examples(run, by_head, worst)],
    }
    words = "Unaltered validation photos with the smallest and the largest log loss. ✓ marks the true class."
    return Section("photos", "Best and worst photos", words, photos=photos)


def evidence_section(
    run: Run, networks: Mapping[str, keras.Model], found: HeadPredictions, images: NDArray[np.integer]
) -> Section:
    """Evidence maps of a few of the validation images, given by row number, from the smallest to the largest log loss.

    `networks` are those of `submissions.reports.explain.load_networks`, `found` the predictions of the cameras.
    """
    ranked = images[np.argsort(found.log_loss()[images], kind="stable")]
    chosen = ranked[np.unique(np.linspace(0, len(ranked) - 1, EXPLAINED).round().astype(int))]
    recipe = next(iter(run.recipes.values()))
    config = replace(recipe.patches, size=recipe.test_patch)
    rows = []
    for image in chosen.tolist():
        path, target, truth = run.validation["path"][image], int(found.predicted[image]), int(found.truth[image])
        pixels = make_evaluation_patch(read_pixels(run.data / path), config)
        title = f"{Path(path).name}: {found.classes[target]}, probability {found.probabilities[image, target]:.3f}"
        title += f"; wrong, it is {found.classes[truth]}" if truth != target else ""
        rows.append(EvidenceRow(title, _evidence_pictures(explain(networks, pixels, False, target, title))))
    words = (
        "Which places and which frequencies of the center patch speak for the predicted camera (orange) and against it "
        "(blue), compared with the average training patch, for images from the smallest to the largest log loss. "
        "Frequencies rise to the right and downwards. Evidence in all parts of an image is usual: a camera leaves its "
        "traces everywhere."
    )
    return Section("evidence", "Evidence maps", words, evidence=rows)


def data_uri(pixels: NDArray[np.uint8], kind: str) -> str:
    """Return a picture, uint8 (height, width, 3 or 4), as a data URI in the format `JPEG` or `PNG`."""
    stream = io.BytesIO()
    if kind == "JPEG":
        Image.fromarray(pixels).save(stream, kind, quality=JPEG_QUALITY)
    else:
        Image.fromarray(pixels).save(stream, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"


def _photo(example: Example, by_head: Mapping[str, HeadPredictions]) -> Photo:
    bars, words = [], []
    for head, found in by_head.items():
        probabilities, truth = example.predicted[head], example.truth[head]
        ranked = np.argsort(-probabilities, kind="stable")[:BARS].tolist()
        shown = ranked if truth in ranked else [*ranked, truth]
        bars += [Bar(found.classes[index], float(probabilities[index]), index == truth) for index in shown]
        words.append(f"{found.classes[truth]}, predicted {found.classes[ranked[0]]}")
    name = example.caption.partition(",")[0]
    return Photo(data_uri(example.pixels, "JPEG"), f"Photo {name}: {'; '.join(words)}", example.caption, bars)


def _evidence_pictures(explanation: Explanation) -> list[Picture]:
    pixels = explanation.pixels
    pictures = [Picture(data_uri(pixels, "JPEG"), f"Center patch of {explanation.caption}", "center patch")]
    if explanation.dct is not None:
        blocks, frequencies = explanation.dct.blocks, explanation.dct.frequencies
        words = f"places: {(blocks > 0).mean():.0%} of the blocks speak for the camera, {blocks.sum():+.1f} nats in all"
        pictures.append(Picture(data_uri(overlay(pixels, blocks), "JPEG"), f"Map of the {words}", words))
        channel, row, column = np.unravel_index(np.abs(frequencies).argmax(), frequencies.shape)
        words = (
            f"frequencies of {', '.join(CHANNELS)}; strongest: {CHANNELS[channel]}, "
            f"vertical frequency {row}, horizontal frequency {column}"
        )
        colors = COLORS((side_by_side(frequencies) / strongest(frequencies) + 1) / 2, bytes=True)
        image = np.kron(colors, np.ones((ZOOM, ZOOM, 1), np.uint8))
        pictures.append(Picture(data_uri(image, "PNG"), f"Map of the {words}", words, pixelated=True))
    if explanation.cam is not None:
        words = f"places by Grad-CAM: strongest in {(explanation.cam > 0.5).mean():.0%} of the patch"
        pictures.append(Picture(data_uri(overlay(pixels, explanation.cam), "JPEG"), f"Map of the {words}", words))
    return pictures
