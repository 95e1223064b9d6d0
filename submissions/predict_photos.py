"""Predict the camera and the settings of unlabeled photos. Tested by tests/commands/test_predict.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augment.decode import read_pixels
from augment.dihedral import dihedral_views
from augment.patches import make_evaluation_patch
from augment.photo_patches import choose_patches
from competition.metadata.header import header_or_reason
from competition.utils.errors import InputError
from competition.utils.find_photos import find_photos
from competition.utils.progress import with_progress
from models.classifier import needed_views
from models.hidden import hidden_network
from models.recipe import Recipe
from models.saved import MODEL, load_model
from submissions.blending import DEFAULT, blend
from submissions.confidence.activations import scoring_network
from submissions.confidence.calibration import Temperatures, run_temperatures
from submissions.confidence.temperature import scale
from submissions.confidence.unknown import Detector, run_detector
from submissions.confidence.unknown_scores import Activations
from submissions.run import BAG, Run
from submissions.submit import describe_settings
from submissions.tasks import CAMERA, Targets

PATCHES = 4  # of a photo by default: with four members and eight views, each takes about two seconds on two cores
MIN_EVIDENCE = 0.1  # share of blocks with detail, below which a prediction is little more than a guess

ByHead = dict[str, NDArray[np.float64]]  # head → probabilities (classes,)


@dataclass(frozen=True, eq=False)
class PhotoPrediction:
    """What a run predicts for one photo.

    Attributes:
        probabilities: by head, (classes,); those of the camera are calibrated.
        patches: number of patches that were examined.
        evidence: mean share of blocks with detail in them, from 0 to 1.
        unknown_score: above 0 if none of the run's cameras took the photo, see `submissions.confidence.unknown`. NaN
            without a threshold, or for a task without the camera.
    """

    probabilities: ByHead
    patches: int
    evidence: float
    unknown_score: float


@dataclass(frozen=True, eq=False)
class PhotoPredictor:
    """The trained networks of a run, loaded once. Make it with `load_predictor`.

    Attributes:
        run: a trained run.
        targets: its heads and classes.
        networks: with their recipes by `Run.entries`. An entry has several networks in a run with folds.
        temperatures: that calibrate the probabilities of the camera; None for a task without it.
        detector: of unknown cameras; None as above.
        scorer: the network, with its recipe, whose activations the detector takes; None as above.
    """

    run: Run
    targets: Targets
    networks: Mapping[str, Sequence[tuple[Recipe, keras.Model]]]
    temperatures: Temperatures | None
    detector: Detector | None
    scorer: tuple[Recipe, keras.Model] | None

    def predict(self, pixels: NDArray[np.uint8], manipulated: bool, count: int = PATCHES) -> PhotoPrediction:
        """Predict one photo.

        A network predicts several patches, each in all of its views. The mean square over the patches is weighted by
        the evidence in them, see `augment.photo_patches`. Folds are averaged. The members are calibrated and blended,
        and the blend is calibrated.

        Args:
            pixels: uint8 (height, width, 3) RGB, at least as large as a patch.
            manipulated: whether the photo was recompressed, resized or gamma-corrected after the camera wrote it.
            count: maximum number of patches.
        """
        by_entry, used, evidence = [], 1, 1.0
        for entry, networks in self.networks.items():
            found = []
            for recipe, network in networks:
                patches, weights = _patches(pixels, recipe, count)
                found.append(self._predict_patches(network, recipe, patches, weights, manipulated))
                if len(patches) >= used:
                    used, evidence = len(patches), float(weights.mean())
            by_head = {head: self._average_networks([each[head] for each in found]) for head in found[0]}
            if self.temperatures is not None:
                by_head[CAMERA] = scale(by_head[CAMERA], self.temperatures.members[entry][manipulated])
            by_entry.append(by_head)
        blended = {head: blend([[each[head]] for each in by_entry])[0] for head in by_entry[0]}
        if self.temperatures is not None:
            blended[CAMERA] = scale(blended[CAMERA], self.temperatures.blend[manipulated])
        return PhotoPrediction(blended, used, evidence, self._score_unknown(pixels, manipulated, count))

    def _average_networks(self, probabilities: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """The mean over the folds, or the blend of the members of a bag, as in `submissions.blending.merge_folds`."""
        return blend(np.stack(probabilities)[:, None], DEFAULT if self.run.fold_of_member else "arithmetic")[0]

    def _predict_patches(
        self,
        network: keras.Model,
        recipe: Recipe,
        patches: Sequence[NDArray[np.uint8]],
        weights: NDArray[np.float64],
        manipulated: bool,
    ) -> ByHead:
        by_patch: dict[str, list[NDArray[np.float64]]] = {}
        computed = needed_views(network, recipe.views)
        flags = np.full((computed, 1), manipulated, np.float32)
        for patch in patches:
            views = dihedral_views([patch], computed)
            outputs = network.predict_on_batch({"patch": views, "is_manipulated": flags})
            for head, probabilities in self.targets.with_marginals(outputs).items():
                by_patch.setdefault(head, []).append(blend(probabilities[:, None])[0])
        mean = {head: np.sqrt(_shares(weights) @ np.square(probabilities)) for head, probabilities in by_patch.items()}
        return {head: values / values.sum() for head, values in mean.items()}

    def _score_unknown(self, pixels: NDArray[np.uint8], manipulated: bool, count: int) -> float:
        """The mean score of the patches, weighted by the evidence in them."""
        if self.detector is None or self.scorer is None:
            return np.nan
        recipe, network = self.scorer
        patches, weights = _patches(pixels, recipe, count)
        flags = np.full((len(patches), 1), manipulated, np.float32)
        found = network({"patch": np.stack(patches), "is_manipulated": flags}, training=False)
        activations = Activations(*(keras.ops.convert_to_numpy(found[name]) for name in ("hidden", "logits")))
        return float(_shares(weights) @ self.detector(activations, flags[:, 0]))


def load_predictor(run: Run) -> PhotoPredictor:
    """Load the networks of a trained run, and fit its temperatures and its detector of unknown cameras.

    Raises:
        InputError: a network, the validation predictions or the activations are missing or damaged.
    """
    networks: dict[str, list[tuple[Recipe, keras.Model]]] = {}
    for part in run.parts:
        for member in part.members:
            entry = BAG if run.fold_of_member else member
            network = load_model(part.member_folder(member) / MODEL)
            networks.setdefault(entry, []).append((run.recipes[member], network))
    if not run.task.camera:
        return PhotoPredictor(run, run.targets, networks, None, None, None)
    file, recipe = scoring_network(run)
    scorer = recipe, hidden_network(load_model(file), CAMERA)
    return PhotoPredictor(run, run.targets, networks, run_temperatures(run), run_detector(run), scorer)


def predict_photos(
    run: Run, photos: Sequence[Path], manipulated: bool, count: int = PATCHES
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Predict the camera and the settings of each photo by the blend of a run's members.

    Args:
        run: a trained run.
        photos: files, or folders that are searched recursively.
        manipulated: whether the photos were recompressed, resized or gamma-corrected after the camera wrote them.
        count: maximum number of patches of a photo.

    Returns:
        A table, and the skipped files with the reason. The columns are path; for a task with the camera: camera,
        probability, runner_up, runner_up_probability, unknown (bool) and unknown_score, see `PhotoPrediction`; for a
        task with settings: each setting's most probable bin and its probability; patches, their number; evidence, their
        mean share of blocks with detail; and one column of probabilities per camera, which sum to one.

    Raises:
        InputError: no photo can be used, or the run is not complete.
    """
    usable, skipped = _usable(photos, _patch_side(run))
    predictor = load_predictor(run) if usable else None
    found: dict[str, PhotoPrediction] = {}
    for path in with_progress(usable, "photos", len(usable), "photo"):
        try:
            pixels = read_pixels(path)
        except InputError as error:
            skipped[path] = str(error).removeprefix(f"{path} ").removeprefix("is ")
            continue
        assert predictor is not None
        found[path] = predictor.predict(pixels, manipulated, count)
    if not found:
        reasons = "; ".join(f"{path}: {why}" for path, why in list(skipped.items())[:3])
        raise InputError(f"none of the {len(skipped)} files is a usable photo ({reasons})")
    return describe_predictions(run, found), skipped


def describe_predictions(run: Run, found: Mapping[str, PhotoPrediction]) -> pd.DataFrame:
    """Return the table of `predict_photos`: one row for each photo, by its path."""
    predictions = list(found.values())
    blended = {
        head: np.stack([each.probabilities[head] for each in predictions]) for head in predictions[0].probabilities
    }
    table = pd.DataFrame({"path": list(found)})
    if run.task.camera:
        table = table.join(_describe_camera(blended[CAMERA], run.cameras))
        scores = np.array([each.unknown_score for each in predictions])
        table = table.assign(unknown=scores > 0, unknown_score=scores)
    if run.task.settings:
        table = table.join(describe_settings(run, blended))
    table["patches"] = [each.patches for each in predictions]
    table["evidence"] = [each.evidence for each in predictions]
    if run.task.camera:
        table = table.join(pd.DataFrame(blended[CAMERA], columns=list(run.cameras)))
    return table


def _describe_camera(probabilities: NDArray[np.float64], cameras: tuple[str, ...]) -> pd.DataFrame:
    """The two most probable cameras of each photo with their probabilities."""
    columns: dict[str, NDArray] = {}
    ranked = np.argsort(-probabilities, axis=1, kind="stable")
    for rank, (name, value) in enumerate((("camera", "probability"), ("runner_up", "runner_up_probability"))):
        columns[name] = np.array(cameras)[ranked[:, rank]]
        columns[value] = np.take_along_axis(probabilities, ranked[:, [rank]], axis=1)[:, 0]
    return pd.DataFrame(columns)


def _patches(
    pixels: NDArray[np.uint8], recipe: Recipe, count: int
) -> tuple[list[NDArray[np.uint8]], NDArray[np.float64]]:
    """The patches that a network sees of a photo, uint8 (size, size, 3) each, and the evidence in each."""
    size = recipe.test_patch
    if recipe.patches.input != "patch":  # one image shows the whole photo
        return [make_evaluation_patch(pixels, replace(recipe.patches, size=size))], np.ones(1)
    chosen = choose_patches(pixels, size, count)
    patches = [pixels[patch.top : patch.top + size, patch.left : patch.left + size] for patch in chosen]
    return patches, np.array([patch.evidence for patch in chosen])


def _shares(evidence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of patches, which sum to one. Patches without any evidence count equally."""
    weights = np.maximum(evidence, 1e-3)
    return weights / weights.sum()


def find_problem(file: Path, run: Run) -> str | None:
    """Return why a run cannot predict a file, judged by its header, or None."""
    return _reason(file, _patch_side(run))


def _patch_side(run: Run) -> int:
    """The shortest side of a photo that all networks can see, pixels."""
    recipes = [*run.recipes.values(), scoring_network(run)[1]]
    return max(
        recipe.test_patch if recipe.patches.input == "patch" else recipe.patches.photo_side for recipe in recipes
    )


def _usable(photos: Sequence[Path], size: int) -> tuple[list[str], dict[str, str]]:
    """The 8-bit RGB photos of at least `size` pixels among files and in folders, and the other files with reasons."""
    usable: list[str] = []
    skipped: dict[str, str] = {}
    for path in photos:
        try:
            files = find_photos(path, recursive=True)
        except InputError as error:
            skipped[str(path)] = str(error)
            continue
        if not files:
            skipped[str(path)] = "a folder without photos"
        for file in files:
            reason = _reason(file, size)
            if reason is None:
                usable.append(str(file))
            else:
                skipped[str(file)] = reason
    return list(dict.fromkeys(usable)), skipped


def _reason(file: Path, size: int) -> str | None:
    """Why a file cannot be predicted, or None."""
    header = header_or_reason(file)
    if isinstance(header, str):
        return header
    if not header.complete:
        return "truncated"
    if (header.mode, header.bits) != ("RGB", 8):
        return f"{header.bits}-bit {header.mode}, not 8-bit RGB"
    if min(header.width, header.height) < size:
        return f"{header.width}x{header.height} is smaller than a patch of {size} pixels"
    return None
