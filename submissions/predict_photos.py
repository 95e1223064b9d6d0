"""Predict the camera and the settings of unlabeled photos. Tested by tests/commands/test_main_job.py."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from competition.manipulation import MANIPULATED, UNALTERED
from competition.metadata.header import read_header
from competition.utils.errors import InputError
from competition.utils.find_photos import find_photos
from models.saved import MODEL, load_model
from submissions.blending import blend_members
from submissions.predict import predict
from submissions.prediction_cache import Predictions
from submissions.run import Run
from submissions.submit import describe_settings
from submissions.tasks import CAMERA


def predict_photos(run: Run, photos: Sequence[Path], manipulated: bool) -> tuple[pd.DataFrame, dict[str, str]]:
    """Predict the camera and the settings of each photo by the blend of a run's members, from its center patch.

    Args:
        run: a trained run.
        photos: files, or folders that are searched recursively.
        manipulated: whether the photos were recompressed, resized or gamma-corrected after the camera wrote them.

    Returns:
        A table, and the skipped files with the reason. The columns are path; for a task with the camera: camera,
        probability and one column per camera, which sum to one; for a task with settings: each setting's most probable
        bin and its probability. Only cameras of the training data can be predicted.

    Raises:
        InputError: no photo can be used.
    """
    size = max((recipe.test_patch for recipe in run.recipes.values() if recipe.patches.input == "patch"), default=1)
    usable, skipped = _usable([file for path in photos for file in find_photos(path, recursive=True)], size)
    if not usable:
        reasons = "; ".join(f"{path}: {why}" for path, why in list(skipped.items())[:3])
        raise InputError(f"none of the {len(skipped)} files is a usable photo ({reasons or 'no images found'})")
    table = pd.DataFrame({"path": usable, "manipulation": MANIPULATED if manipulated else UNALTERED, "split": "test"})
    targets, by_head = run.targets, dict[str, dict[str, Predictions]]()
    for member, recipe in run.recipes.items():
        keras.backend.clear_session()
        network = load_model(run.member_folder(member) / MODEL)
        for head, predictions in predict(network, table, Path(), recipe, targets, member).items():
            by_head.setdefault(head, {})[member] = predictions
    blended = {head: blend_members(members) for head, members in by_head.items()}
    columns = [pd.DataFrame({"path": usable})]
    if run.task.camera:
        columns.append(_describe_camera(blended[CAMERA], run.cameras))
    if run.task.settings:
        columns.append(describe_settings(run, blended))
    return pd.concat(columns, axis=1), skipped


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
