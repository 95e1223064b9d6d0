"""Which camera, and which settings, took photographs that nobody has labelled."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from augment.manipulations import UNALTERED
from competition.manifest import MANIPULATED
from competition.metadata.header import SUFFIXES, read_header
from competition.utils.errors import InputError
from models.training.fit import MODEL, load_model
from submissions.blending import DEFAULT, blend
from submissions.leaderboards.settings import describe
from submissions.predict import predict
from submissions.prediction_cache import answer
from submissions.run import Run
from submissions.tasks import CAMERA


def identify(run: Run, photos: Sequence[Path], manipulated: bool) -> tuple[pd.DataFrame, dict[str, str]]:
    """The camera of each photograph, by the blend of a run's members on the patch at its center.

    Args:
        run: whose members are asked.
        photos: files, or folders that are searched to the bottom.
        manipulated: whether the photographs were recompressed, resized or toned since the camera wrote them.

    Returns:
        The table: path; camera, probability and one column per camera, rows summing to one, where the run was asked for
        cameras; the bin of each setting and its probability, where it was asked for settings. And what was skipped:
        path → reason. A network can only choose among the answers it was trained on.

    Raises:
        InputError: no photograph could be used.
    """
    size = max((recipe.test_patch for recipe in run.recipes.values() if recipe.input == "patch"), default=1)
    good, skipped = _usable(photos, size)
    if not good:
        reasons = "; ".join(f"{path}: {why}" for path, why in list(skipped.items())[:3])
        raise InputError(
            f"none of {len(skipped)} files is a photograph that can be used ({reasons or 'no images found'})"
        )
    table = pd.DataFrame({"path": good, "manipulation": MANIPULATED if manipulated else UNALTERED, "split": "test"})
    targets, predicted = run.targets, dict[str, list[np.ndarray]]()
    for member, recipe in run.recipes.items():
        keras.backend.clear_session()
        network = load_model(run.member(member) / MODEL)
        for target, one in predict(network, table, Path(), recipe, targets, member).items():
            predicted.setdefault(target, []).append(answer(one))
    blended = {target: blend(np.stack(several), DEFAULT) for target, several in predicted.items()}
    parts = [pd.DataFrame({"path": good})]
    if run.task.camera:
        parts.append(_cameras(blended[CAMERA], run.classes))
    if run.task.settings:
        parts.append(describe(run, blended))
    return pd.concat(parts, axis=1), skipped


def _cameras(probabilities: np.ndarray, classes: tuple[str, ...]) -> pd.DataFrame:
    best = pd.DataFrame(
        {"camera": np.array(classes)[probabilities.argmax(axis=1)], "probability": probabilities.max(axis=1)}
    )
    return best.join(pd.DataFrame(probabilities, columns=list(classes)))


def _usable(photos: Sequence[Path], size: int) -> tuple[list[str], dict[str, str]]:
    good: list[str] = []
    skipped: dict[str, str] = {}
    for path in photos:
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        for file in inside:
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
                good.append(str(file))
    return good, skipped
