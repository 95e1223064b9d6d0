"""A run in pictures: what is drawn of it, collected from its manifest, its photographs and its predictions."""

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
from competition.metrics.weighted_accuracy import SMALLEST_PROBABILITY
from competition.settings import SETTINGS, UNKNOWN
from competition.utils.errors import InputError
from submissions.blending import blend_members
from submissions.prediction_cache import load_members
from submissions.reports import figures
from submissions.run import SIMULATED, Run

SHOWN = 5  # best and as many worst
SHEET = 20  # photographs on the contact sheet
SIDE = 320  # pixels of a drawn photograph's longer side


@dataclass(frozen=True, eq=False)
class Answered:
    """What a run answered to one question about its validation images.

    probabilities: (images, classes); truth: (images,), -1 where unknown.
    """

    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    truth: NDArray[np.int32]

    @property
    def known(self) -> NDArray[np.bool_]:
        return self.truth != UNKNOWN

    @property
    def predicted(self) -> NDArray[np.integer]:
        """The most probable classes, (images,)."""
        return self.probabilities.argmax(axis=1)

    def log_loss(self) -> NDArray[np.float64]:
        """Of every image, (images,); NaN where the truth is unknown."""
        of_truth = np.take_along_axis(self.probabilities, np.maximum(self.truth, 0)[:, None], axis=1)[:, 0]
        return np.where(self.known, -np.log(np.maximum(of_truth, SMALLEST_PROBABILITY)), np.nan)


def draw_run(run: Run, folder: Path) -> list[Path]:
    """Draw a run into `folder`, every picture as PNG and SVG; their paths.

    The best and the worst photographs, the space of settings (where photographs tell them), a contact sheet, a
    confusion matrix for every question, and reliability diagrams. Raises `InputError` for a run without predictions.
    """
    found = answered(run)
    unaltered = np.flatnonzero(run.validation["manipulation"] == UNALTERED)
    simulated = " simulated" if SIMULATED in run.note else ""
    on = f"{len(unaltered)}{simulated} validation photographs"
    on_images = on + (", each also manipulated" if len(run.validation) > len(unaltered) else "")
    ranked = {name: one for name, one in found.items() if name in SETTINGS} or found
    best, worst = best_and_worst(ranked, unaltered)
    some = np.sort(np.random.default_rng(run.seed).permutation(unaltered)[:SHEET])
    drawn = {
        "best-worst": figures.best_and_worst(
            examples(run, ranked, best),
            examples(run, ranked, worst),
            _classes(ranked),
            f"The best and the worst of {on}",
        ),
        "contact-sheet": figures.sheet(
            examples(run, found, some),
            _classes(found),
            f"{len(some)} of {on}: ✓ right, ✗ wrong, ? unknown",
        ),
        "reliability": figures.reliability_diagrams(
            {target: _reliability(run, one) for target, one in found.items()}, f"Reliability on {on_images}"
        ),
    }
    for target, one in found.items():
        drawn[f"confusion-{target}"] = figures.confusion(
            one.truth[one.known], one.predicted[one.known], one.classes, f"{figures.LABELS[target]}, {on_images}"
        )
    photographs = run.manifest[run.manifest["split"] != "test"]
    columns = {known.column: photographs[known.column] for known in SETTINGS.values()}
    if any(column.notna().any() for column in columns.values()):
        asked = run.targets.edges if run.task.settings else {}
        drawn["settings-space"] = figures.settings_space(
            columns,
            {SETTINGS[name].column: inner for name, inner in asked.items()},
            f"The settings of {len(photographs)}{simulated} photographs, of training and validation",
        )
    return [path for name, figure in drawn.items() for path in figures.save(figure, folder / name)]


def answered(run: Run) -> dict[str, Answered]:
    """What the blend of a run's members answered to every question about the validation images."""
    truth = run.targets.labels(run.validation)
    found = {}
    for target, classes in run.targets.classes.items():
        members = load_members(run, "validation", target)
        if not members:
            raise InputError(f"the run {run.folder} has no predictions for its {target}; run predict first")
        predicted = blend_members(members)
        found[target] = Answered(classes, predicted, truth[target])
    return found


def best_and_worst(
    found: Mapping[str, Answered], images: NDArray[np.integer]
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Those of `images` with the smallest and the largest summed log loss, the best and the worst first; none is both.

    Only images whose truth is known for every question take part; fewer than two are an `InputError`.
    """
    loss = np.sum([one.log_loss() for one in found.values()], axis=0)[images]
    ranked = images[np.argsort(loss, kind="stable")][: int(np.isfinite(loss).sum())]  # NaN is sorted to the end
    if len(ranked) < 2:
        raise InputError(
            f"{len(ranked)} validation photograph(s) tell {', '.join(found)}; the best and the worst need at least 2"
        )
    shown = min(SHOWN, len(ranked) // 2)
    return ranked[:shown], ranked[::-1][:shown]


def examples(run: Run, found: Mapping[str, Answered], images: NDArray[np.integer]) -> list[figures.Example]:
    """Validation images, by their row numbers, as they are drawn."""
    photographs = run.manifest.set_index("path")
    paths = run.validation["path"]
    loss = np.nansum([one.log_loss() for one in found.values()], axis=0)
    made = []
    for image in images.tolist():
        path = paths[image]
        caption = f"{Path(path).name}, log loss {loss[image]:.2f}\n{_settings(photographs.loc[path])}"
        predicted = {target: one.probabilities[image] for target, one in found.items()}
        truth = {target: int(one.truth[image]) for target, one in found.items()}
        made.append(figures.Example(small(read_pixels(run.data / path)), caption.strip(), predicted, truth))
    return made


def small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A photograph made small for drawing: its longer side at most `SIDE` pixels."""
    made = Image.fromarray(pixels)
    made.thumbnail((SIDE, SIDE))
    return np.asarray(made)


def _settings(photograph: pd.Series) -> str:
    """As photographers write them: `f/2.8  1/60 s  ISO 400`; what is unknown is left out."""
    f_number, time, iso = (photograph[name] for name in ("f_number", "exposure_time", "iso"))
    told = [f"f/{f_number:g}" if f_number > 0 else "", f"ISO {iso:g}" if iso > 0 else ""]
    if time > 0:
        told.insert(1, f"1/{1 / time:.0f} s" if time < 0.3 else f"{round(time, 2):g} s")
    return "  ".join(filter(None, told))


def _classes(found: Mapping[str, Answered]) -> dict[str, tuple[str, ...]]:
    return {target: one.classes for target, one in found.items()}


def _reliability(run: Run, one: Answered) -> Reliability:
    sure, right = one.probabilities.max(axis=1), one.predicted == one.truth
    return reliability(sure[one.known], right[one.known], run.validation["path"].to_numpy()[one.known])
