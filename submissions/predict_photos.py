"""Predict the camera and the settings of unlabeled photos. Tested by tests/commands/test_main_job.py."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from augment.decode import read_pixels
from augment.dihedral import dihedral_transform
from augment.photo_patches import choose_patches
from augment.squash import squash
from competition.metadata.header import read_header
from competition.utils.errors import InputError
from competition.utils.find_photos import find_photos
from models.recipe import Recipe
from models.saved import MODEL, load_model
from submissions.blending import blend
from submissions.run import Run
from submissions.submit import describe_settings
from submissions.tasks import CAMERA, Targets

PATCHES = 4  # of a photo by default: with four members and eight views, each takes about two seconds on two cores
MIN_EVIDENCE = 0.1  # share of blocks with detail, below which a prediction is little more than a guess

ByHead = dict[str, np.ndarray]  # head → probabilities (classes,)


def predict_photos(
    run: Run, photos: Sequence[Path], manipulated: bool, count: int = PATCHES
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Predict the camera and the settings of each photo by the blend of a run's members.

    A member predicts several patches of a photo, each in all of its views. The mean square over the patches is weighted
    by the evidence in them, see `augment.photo_patches`.

    Args:
        run: a trained run.
        photos: files, or folders that are searched recursively.
        manipulated: whether the photos were recompressed, resized or gamma-corrected after the camera wrote them.
        count: maximum number of patches of a photo.

    Returns:
        A table, and the skipped files with the reason. The columns are path; patches, their number; evidence, their
        mean share of blocks with detail; for a task with the camera: camera, probability and one column per camera,
        which sum to one; for a task with settings: each setting's most probable bin and its probability. Only cameras
        of the training data can be predicted.

    Raises:
        InputError: no photo can be used.
    """
    size = max((recipe.test_patch for recipe in run.recipes.values() if recipe.patches.input == "patch"), default=1)
    usable, skipped = _usable([file for path in photos for file in find_photos(path, recursive=True)], size)
    networks = {member: load_model(run.member_folder(member) / MODEL) for member in run.recipes} if usable else {}
    rows: list[dict[str, object]] = []
    found: list[ByHead] = []
    for path in tqdm(usable, desc="photos", unit="photo"):
        try:
            pixels = read_pixels(path)
        except InputError as error:
            skipped[path] = str(error)
            continue
        by_head, used, evidence = _predict(run, networks, pixels, manipulated, count)
        rows.append({"path": path, "patches": used, "evidence": evidence})
        found.append(by_head)
    if not rows:
        reasons = "; ".join(f"{path}: {why}" for path, why in list(skipped.items())[:3])
        raise InputError(f"none of the {len(skipped)} files is a usable photo ({reasons or 'no images found'})")
    blended = {head: np.stack([by_head[head] for by_head in found]) for head in found[0]}
    columns = [pd.DataFrame(rows)]
    if run.task.camera:
        columns.append(_describe_camera(blended[CAMERA], run.cameras))
    if run.task.settings:
        columns.append(describe_settings(run, blended))
    return pd.concat(columns, axis=1), skipped


def _predict(
    run: Run, networks: Mapping[str, keras.Model], pixels: np.ndarray, manipulated: bool, count: int
) -> tuple[ByHead, int, float]:
    """Probabilities of one photo by head, the number of patches, and the evidence in them."""
    by_member, used, evidence = [], 1, 1.0
    for member, network in networks.items():
        recipe = run.recipes[member]
        patches, weights = _patches(pixels, recipe, count)
        by_member.append(_predict_patches(network, recipe, run.targets, patches, weights, manipulated))
        if len(patches) >= used:
            used, evidence = len(patches), float(weights.mean())
    return {head: blend([[each[head]] for each in by_member])[0] for head in by_member[0]}, used, evidence


def _patches(pixels: np.ndarray, recipe: Recipe, count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """The patches that a member sees of a photo, uint8 (size, size, 3) each, and the evidence in each."""
    size = recipe.test_patch
    if recipe.patches.input == "squash":
        return [squash(pixels, size, recipe.patches.padding)], np.ones(1)
    chosen = choose_patches(pixels, size, count)
    patches = [pixels[patch.top : patch.top + size, patch.left : patch.left + size] for patch in chosen]
    return patches, np.array([patch.evidence for patch in chosen])


def _predict_patches(
    network: keras.Model,
    recipe: Recipe,
    targets: Targets,
    patches: Sequence[np.ndarray],
    weights: np.ndarray,
    manipulated: bool,
) -> ByHead:
    by_patch: dict[str, list[np.ndarray]] = {}
    flags = np.full((recipe.views, 1), manipulated, np.float32)
    for patch in patches:
        views = np.stack([dihedral_transform(patch, view) for view in range(recipe.views)])
        outputs = network.predict_on_batch({"patch": views, "is_manipulated": flags})
        for head, probabilities in targets.with_marginals(outputs).items():
            by_patch.setdefault(head, []).append(blend(probabilities[:, None])[0])
    share = np.maximum(weights, 1e-3) / np.maximum(weights, 1e-3).sum()
    mean = {head: np.sqrt(share @ np.square(probabilities)) for head, probabilities in by_patch.items()}
    return {head: values / values.sum() for head, values in mean.items()}


def _describe_camera(probabilities: np.ndarray, cameras: tuple[str, ...]) -> pd.DataFrame:
    best = pd.DataFrame(
        {"camera": np.array(cameras)[probabilities.argmax(axis=1)], "probability": probabilities.max(axis=1)}
    )
    return best.join(pd.DataFrame(probabilities, columns=list(cameras)))


def _usable(files: Sequence[Path], size: int) -> tuple[list[str], dict[str, str]]:
    """The 8-bit RGB photos of at least `size` pixels, and the other files with the reason."""
    usable: list[str] = []
    skipped: dict[str, str] = {}
    for file in files:
        try:
            header = read_header(file)
        except InputError as error:
            skipped[str(file)] = str(error)
            continue
        if not header.complete:
            skipped[str(file)] = "truncated"
        elif (header.mode, header.bits) != ("RGB", 8):
            skipped[str(file)] = f"{header.bits}-bit {header.mode}, not 8-bit RGB"
        elif min(header.width, header.height) < size:
            skipped[str(file)] = f"{header.width}x{header.height} is smaller than a patch of {size} pixels"
        else:
            usable.append(str(file))
    return usable, skipped
