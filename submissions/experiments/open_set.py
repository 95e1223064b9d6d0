"""Leave each camera out once: which score of `submissions.confidence` tells its photos from those of the others?

The member `dctnet` is trained on all cameras but one. The features of all patches are computed once for all trainings,
so that one takes less than a minute with the preset `quick`.

Scores are measured on the test set if it has a solution, otherwise on the validation images, and on all images of the
camera that was left out. Thresholds are always those of the validation images, as in `predict`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.manipulation import UNALTERED
from competition.metrics.auroc import Auroc, auroc, resampled_auroc
from competition.metrics.bootstrap import percentile_interval
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError
from competition.utils.tables import format_interval, text_table
from models.hidden import hidden_network
from models.members import DCTNET
from models.presets import classifier_recipe
from models.recipe import Recipe
from models.saved import MODEL, load_model
from models.training.features import (
    FILES,
    IS_MANIPULATED,
    FeatureBatches,
    Labels,
    compute_features,
    delete_features,
    fixed_layer,
)
from models.training.fit import train
from submissions.confidence.activations import Images, training_images
from submissions.confidence.unknown import BEST, MIN_IMAGES, fit_detector
from submissions.confidence.unknown_scores import SCORES, Activations
from submissions.members import run_patches
from submissions.predict import evaluation_patches
from submissions.run import Run, open_run, start_run
from submissions.submission_csv import read_solution
from submissions.tasks import CAMERA

FILE_NAME = "results.csv"
MEAN = "mean"
RATES = ("auroc_unaltered", "auroc_manipulated", "false_acceptance", "false_rejection")
COLUMNS = ["camera", "score", "auroc", "low", "high", *RATES, "unknown", "known"]
BATCH = 8  # patches


@dataclass(frozen=True, eq=False)
class _Data:
    """What all trainings share.

    Attributes:
        run: of all cameras.
        recipe: of every training.
        images: the images that are scored: columns path, camera, manipulation and split.
        features: of their center patches, with the flag as the last column.
        patches: features of the training patches, in the same form.
        photos: the photo of each training patch, a row of `labels`.
        labels: index of the camera of each training photo.
    """

    run: Run
    recipe: Recipe
    images: pd.DataFrame
    features: NDArray[np.float16]
    patches: NDArray[np.float16]
    photos: NDArray[np.intp]
    labels: NDArray[np.integer]


def run_open_set(data: Path, folder: Path, preset: str, epochs: int | None, jobs: int) -> pd.DataFrame:
    """Train without each camera in turn, and measure every score. Finished trainings are not repeated.

    Args:
        data: folder of the photos.
        folder: of the results, with one folder per camera.
        preset: of the trainings.
        epochs: of each training; None for the preset's.
        jobs: number of processes that read the photos.

    Returns:
        One row per score and camera, and one for their mean, with the columns `COLUMNS`: area under the ROC curve with
        its 95 % bootstrap interval, and that of the unaltered and of the manipulated images; share of the images by the
        left-out camera that are accepted, and share of those by the other cameras that are rejected, at the threshold
        of the validation images; numbers of images.

    Raises:
        InputError: the data cannot be used, or has too few cameras or validation images.
    """
    prepared = _prepare(data, folder, preset, epochs, jobs)
    cameras = prepared.run.cameras
    measured: dict[str, list[tuple[Auroc, list[float]]]] = {name: [] for name in SCORES}
    for number, camera in enumerate(cameras, 1):
        print(f"{number} of {len(cameras)}: without {camera}")
        activations = _train_without(prepared, camera, folder)
        for name in SCORES:
            measured[name].append(_measure(prepared.images, activations, camera, name))
    rows = [row for name, found in measured.items() for row in _rows(name, cameras, found)]
    delete_features(prepared.run.folder)
    table = pd.DataFrame(rows, columns=COLUMNS)
    write_csv(table, folder / FILE_NAME)
    return table


def format_open_set(table: pd.DataFrame) -> str:
    """Format the results for a terminal: the cameras with the score that `predict` uses, then all scores."""
    parts = []
    best, means = table[table["score"] == BEST], table[table["camera"] == MEAN]
    for heading, rows in (("camera", best), ("score", means)):
        shown: dict[str, list[object]] = {heading: rows[heading].tolist()}
        shown["AUROC"] = list(map(format_interval, rows["auroc"], rows["low"], rows["high"]))
        for name in RATES:
            shown[name.removeprefix("auroc_").replace("_", " ")] = rows[name].tolist()
        for name in ("unknown", "known"):
            shown[f"{name} images"] = rows[name].tolist()
        parts.append(text_table(shown))
    return f"score {BEST}:\n{parts[0]}\n\nmeans over the cameras:\n{parts[1]}"


def _prepare(data: Path, folder: Path, preset: str, epochs: int | None, jobs: int) -> _Data:
    """Start the run of all cameras and compute the features of all patches and images."""
    recipe = classifier_recipe(preset, DCTNET, epochs=epochs)
    requested = Run(folder / "all-cameras", data, {DCTNET: recipe}, seed=0)
    for message in start_run(requested, jobs, fit_patches=True):
        print(message)
    run = open_run(requested.folder)
    if len(run.cameras) < 3:
        raise InputError(f"leaving a camera out needs at least 3 cameras, but {data} has {len(run.cameras)}")
    recipe = run.recipes[DCTNET]
    tables = [training_images(run, recipe), run.validation]
    solution = read_solution(run.data)
    if solution is not None:
        test, cameras = run.images["test"], solution.set_index("fname")["camera"]
        tables.append(test.assign(camera=test["path"].map(lambda path: cameras[Path(path).name])))
    images = pd.concat([table[["path", "camera", "manipulation", "split"]] for table in tables], ignore_index=True)
    training, _ = run_patches(run, recipe, run.seed)
    scored = evaluation_patches(images, run.data, {}, recipe, BATCH)
    compute_features(run.folder, DCTNET, recipe, training, scored, {CAMERA: len(run.cameras)})
    patches, features = (np.load(run.folder / name, mmap_mode="r") for name in FILES)
    return _Data(run, recipe, images, features, patches, training.photos(0)[: len(patches)], training.targets[CAMERA])


def _train_without(data: _Data, camera: str, folder: Path) -> Activations:
    """Train without a camera; returns the activations of all images."""
    known = [name for name in data.run.cameras if name != camera]
    left_out = data.run.cameras.index(camera)
    of_photos = data.labels - (data.labels > left_out)
    of_images = pd.Index(known).get_indexer(pd.Index(data.images["camera"]))
    size = data.recipe.patches.batch_size
    batches = [
        FeatureBatches(features, _labels(labels), size, seed, rows.nonzero()[0])
        for features, labels, rows, seed in (
            (data.patches, of_photos[data.photos], data.labels[data.photos] != left_out, data.run.seed),
            (data.features, of_images, ((data.images["split"] == "validation") & (of_images >= 0)).to_numpy(), None),
        )
    ]
    place = folder / f"without-{camera}"
    train(DCTNET, data.recipe, batches[0], batches[1], {CAMERA: len(known)}, place, data.run.seed)
    fixed = fixed_layer(DCTNET, data.recipe)
    assert fixed is not None
    network = load_model(place / MODEL)
    inputs = [network.get_layer(name).output for name in (fixed, IS_MANIPULATED)]
    network = hidden_network(network, CAMERA, inputs)
    values = np.asarray(data.features, np.float32)
    found = network.predict([values[:, :-1], values[:, -1:]], verbose=0)
    return Activations(found["hidden"], found["logits"])


def _labels(labels: NDArray[np.integer]) -> Labels:
    """The function that `FeatureBatches` needs."""
    return lambda epoch, rows: ({CAMERA: labels[rows]}, {CAMERA: np.ones(len(rows), np.float32)})


def _measure(images: pd.DataFrame, activations: Activations, camera: str, name: str) -> tuple[Auroc, list[float]]:
    """The area of a score, the `RATES`, and the numbers of unknown and known images."""
    split, is_left_out = images["split"].to_numpy(), (images["camera"] == camera).to_numpy()
    labels = pd.Index(images["camera"].unique()).get_indexer(pd.Index(images["camera"]))
    flags = (images["manipulation"] != UNALTERED).to_numpy(bool)
    training, validation = (
        Images(activations[rows], labels[rows], flags[rows])
        for rows in ((split == part) & ~is_left_out for part in ("train", "validation"))
    )
    if len(validation.labels) < MIN_IMAGES:
        raise InputError(
            f"without {camera} there are {len(validation.labels)} validation images, expected at least "
            f"{MIN_IMAGES} for a threshold; add photos"
        )
    measured = "test" if "test" in split else "validation"
    rows = (split == measured) | (is_left_out & (measured == "validation"))
    scores, unknown = fit_detector(name, training, validation)(activations[rows], flags[rows]), is_left_out[rows]
    area = resampled_auroc(scores, unknown, images["path"].to_numpy()[rows])
    rejected = scores > 0
    kinds = [auroc(scores[flags[rows] == flag], unknown[flags[rows] == flag]) for flag in (False, True)]
    rates = [*kinds, float((~rejected[unknown]).mean()), float(rejected[~unknown].mean())]
    return area, [*rates, int(unknown.sum()), int((~unknown).sum())]


def _rows(name: str, cameras: tuple[str, ...], found: list[tuple[Auroc, list[float]]]) -> Iterator[list[object]]:
    """The rows of one score: one per camera, and their mean."""
    for camera, (area, values) in zip(cameras, found, strict=True):
        yield [camera, name, area.value, *area.interval, *values]
    areas = [area for area, _ in found]
    low, high = percentile_interval(np.mean([area.draws for area in areas], axis=0)).tolist()
    rates = np.mean([values[:-2] for _, values in found], axis=0).tolist()
    counts = np.sum([values[-2:] for _, values in found], axis=0, dtype=int).tolist()
    yield [MEAN, name, float(np.mean([area.value for area in areas])), low, high, *rates, *counts]
