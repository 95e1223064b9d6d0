"""Accuracy on altered images: recompressed, rescaled, noisy, blurred and cropped ones, for one run or for two."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augment.crops import JPEG_BLOCK, center_offset
from augment.decode import read_pixels
from competition.manipulation import UNALTERED
from competition.metrics.weighted_accuracy import accuracy_difference, accuracy_interval
from competition.utils.errors import InputError, unknown_name
from competition.utils.progress import with_progress
from competition.utils.tables import format_interval, text_table
from models.members import FRONT_END_MEMBERS, SMALLEST_FRONT_END_PATCH
from models.saved import MODEL, load_model
from submissions.blending import blend
from submissions.experiments.alterations import ALTERATIONS, Pixels
from submissions.run import SIMULATED, Run
from submissions.submission_csv import read_solution
from submissions.tasks import CAMERA

SPLITS = ("validation", "test")
ORIGINAL = "original"
PIECE = 8  # patches in a call of a network
COLUMNS = ["alteration", "level", "patch", "images", "run", "accuracy", "low", "high"]
COLUMNS += ["difference", "difference_low", "difference_high"]

Networks = Mapping[str, keras.Model]


@dataclass(frozen=True)
class Case:
    """One alteration at one level, which is NaN for images as they are."""

    alteration: str
    level: float

    def __str__(self) -> str:
        return self.alteration if np.isnan(self.level) else f"{self.alteration} {self.level:g}"


CASES = (Case(ORIGINAL, np.nan), *(Case(name, level) for name, kind in ALTERATIONS.items() for level in kind.levels))


def measure_robustness(runs: Sequence[Run], split: str, seed: int = 0) -> tuple[pd.DataFrame, list[str]]:
    """Measure the accuracy of the cameras that runs predict for images as they are and for altered ones.

    The center of an image is altered: twice the side of a patch, or what the image has. The center of the result is the
    patch. It is smaller than the run's patches where the result is smaller. Every member predicts one view of it, and
    the members are blended. Altered images have the flag `is_manipulated`.

    Args:
        runs: trained runs of one data folder with the same cameras.
        split: `validation`, the validation photos, or `test`, the unaltered test images of a solution.csv.
        seed: of the noise.

    Returns:
        A table with the columns `COLUMNS`, one row per case and run. Intervals are 95 % bootstrap intervals over the
        images; the differences, to the first run, are paired. And the names of the cases that were left out, because
        members need larger patches.

    Raises:
        InputError: the runs do not predict the same cameras, or the images have no known cameras.
    """
    _check_runs(runs)
    images = _images(runs[0], split)
    truth = pd.Index(runs[0].cameras).get_indexer(pd.Index(images["camera"]))
    largest = max(_patch_sides(run)[1] for run in runs)
    sources = [
        _source(read_pixels(runs[0].data / path), largest)
        for path in with_progress(images["path"], "images", len(images), "image")
    ]
    networks = [_load(run) for run in runs]
    rows: list[dict[str, object]] = []
    left_out = []
    for case in with_progress(CASES, "alterations", len(CASES), "alteration"):
        altered = list(_alter(case, sources, seed))
        usable = min(_whole_blocks(min(pixels.shape[:2])) for pixels in altered)
        sides = [min(usable, _patch_sides(run)[1]) for run in runs]
        if any(side < _patch_sides(run)[0] for side, run in zip(sides, runs, strict=True)):
            left_out.append(str(case))
            continue
        flag = case.alteration != ORIGINAL
        labels = [_predict(*pair, altered, flag).argmax(axis=1) for pair in zip(networks, sides, strict=True)]
        rows += _rows(case, runs, sides, truth, labels)
    return pd.DataFrame(rows, columns=COLUMNS), left_out


def format_robustness(table: pd.DataFrame) -> str:
    """Format the table for a terminal."""
    columns = {
        "alteration": table["alteration"].tolist(),
        "level": ["" if np.isnan(level) else f"{level:g}" for level in table["level"]],
        "patch": table["patch"].tolist(),
        "run": table["run"].tolist(),
        "accuracy": list(map(format_interval, table["accuracy"], table["low"], table["high"])),
    }
    if table["difference"].notna().any():
        values = (table[name] for name in ("difference", "difference_low", "difference_high"))
        columns["difference"] = list(map(format_interval, *values))
    return text_table(columns)


def describe_images(run: Run, split: str, table: pd.DataFrame) -> str:
    """Describe the images of a table in one sentence."""
    kind = "simulated photos (the virtual competition)" if SIMULATED in run.note else "photos"
    images = {"validation": "validation photos", "test": "unaltered test images"}[split]
    count, cameras = table["images"].iloc[0], len(run.cameras)
    return f"{count} {images} of {run.data.name}, {cameras} cameras, {kind}; one view; 95 % intervals"


def _check_runs(runs: Sequence[Run]) -> None:
    first = runs[0]
    for run in runs:
        if not run.task.camera:
            raise InputError(f"robustness is measured on cameras, but {run.folder} predicts {run.task.name} only")
        if run.cameras != first.cameras or run.data.resolve() != first.data.resolve():
            raise InputError(f"{run.folder} and {first.folder} differ in photos; expected runs of one --data folder")
        whole = [member for member, recipe in run.recipes.items() if recipe.patches.input != "patch"]
        if whole:
            raise InputError(f"robustness needs patches, but {whole[0]} of {run.folder} sees whole photos")


def _images(run: Run, split: str) -> pd.DataFrame:
    """The unaltered images of a split: columns path and camera."""
    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
    if split == "validation":
        table = run.validation
        return table.loc[table["manipulation"] == UNALTERED, ["path", "camera"]]
    solution = read_solution(run.data)
    if solution is None or "test" not in run.images:
        raise InputError(f"{run.data} has no test set with a solution.csv; use --split validation")
    known = solution[solution["manipulation"] == UNALTERED].set_index("fname")["camera"]
    paths = run.images["test"]["path"]
    cameras = paths.map(lambda path: Path(path).name).map(known)
    return pd.DataFrame({"path": paths, "camera": cameras}).dropna()


def _patch_sides(run: Run) -> tuple[int, int]:
    """The smallest and the largest side of a patch. A front end alone takes any, a backbone what it was built for."""
    fixed = [recipe.test_patch for member, recipe in run.recipes.items() if member not in FRONT_END_MEMBERS]
    largest = min(recipe.test_patch for recipe in run.recipes.values())
    return max(fixed, default=SMALLEST_FRONT_END_PATCH), largest


def _source(pixels: Pixels, size: int) -> Pixels:
    """The center of an image that is altered, large enough for half of the scale and for a shift."""
    side = min(2 * (size + JPEG_BLOCK), _whole_blocks(min(pixels.shape[:2])))
    return _center(pixels, side)


def _center(pixels: Pixels, size: int) -> Pixels:
    top, left = (center_offset(side, size) for side in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + size, left : left + size])


def _whole_blocks(side: int) -> int:
    return side // JPEG_BLOCK * JPEG_BLOCK


def _load(run: Run) -> Networks:
    return {member: load_model(run.member_folder(member) / MODEL) for member in run.recipes}


def _alter(case: Case, sources: Sequence[Pixels], seed: int) -> Iterator[Pixels]:
    for index, pixels in enumerate(sources):
        if case.alteration == ORIGINAL:
            yield pixels
        else:
            yield ALTERATIONS[case.alteration].apply(pixels, case.level, np.random.default_rng((seed, index)))


def _predict(networks: Networks, side: int, altered: Sequence[Pixels], flag: bool) -> NDArray[np.float64]:
    """Blended probabilities of the cameras, (images, classes), for the centers of altered images."""
    found = []
    for first in range(0, len(altered), PIECE):
        patches = np.stack([_center(pixels, side) for pixels in altered[first : first + PIECE]])
        flags = np.full((len(patches), 1), flag, np.float32)
        inputs = {"patch": patches, "is_manipulated": flags}
        found.append(blend([network.predict_on_batch(inputs)[CAMERA] for network in networks.values()]))
    return np.concatenate(found)


def _rows(
    case: Case,
    runs: Sequence[Run],
    sides: Sequence[int],
    truth: NDArray[np.integer],
    labels: Sequence[NDArray[np.integer]],
) -> Iterator[dict[str, object]]:
    same_weight = np.zeros(len(truth), bool)  # no image counts more than another
    for run, side, predicted in zip(runs, sides, labels, strict=True):
        low, high = accuracy_interval(truth, predicted, same_weight)
        row = {"alteration": case.alteration, "level": case.level, "patch": side, "images": len(truth)}
        row |= {"run": run.folder.name, "accuracy": float((predicted == truth).mean()), "low": low, "high": high}
        if run is not runs[0]:
            found = accuracy_difference(truth, predicted, labels[0], same_weight)
            row |= dict(zip(COLUMNS[-3:], found, strict=True))
        yield row
