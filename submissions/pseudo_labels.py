"""Pseudo-labels: test images that a trained run is sure of join the training photos (Lee 2013).

The answers of the run take the place of labels. A validation score does not profit from them by itself, because
validation images have true labels.

Tested by tests/commands/test_pseudo_labels.py.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from competition.utils.errors import InputError
from submissions.blending import blend_members
from submissions.prediction_cache import load_members
from submissions.run import PSEUDO_COLUMNS, PSEUDO_LABELS, Run, open_run


def choose_pseudo_labels(teacher: Run, data: Path, confidence: float) -> pd.DataFrame:
    """Return the test images to which the blend of a run gives a camera with at least the probability `confidence`.

    Args:
        teacher: a run on cameras with predictions for the test set.
        data: folder of the photos that shall be trained on.
        confidence: lowest probability.

    Returns:
        Columns path, camera and probability.

    Raises:
        InputError: the run is on other data or has no predictions for its test set, or no image is certain enough.
    """
    if teacher.data.resolve() != data.resolve():
        raise InputError(
            f"the run {teacher.folder} is on other data, {teacher.data}, than {data}; pseudo-labels need a run on the "
            "same data"
        )
    members = load_members(teacher, "test")
    if not members:
        raise InputError(f"the run {teacher.folder} has no predictions for a test set; pseudo-labels need them")
    blended = blend_members(members)
    certain = blended.max(axis=1) >= confidence
    if not certain.any():
        raise InputError(
            f"the run {teacher.folder} gives no test image a probability of {confidence} or more (the highest is "
            f"{blended.max():.3f}); choose a lower --confidence"
        )
    names = next(iter(members.values())).names[certain]
    labels = np.array(teacher.cameras)[blended[certain].argmax(axis=1)]
    columns = names.tolist(), labels.tolist(), blended[certain].max(axis=1).tolist()
    return pd.DataFrame(dict(zip(PSEUDO_COLUMNS, columns, strict=True)))


def missing_pseudo_labels(run: Run) -> pd.DataFrame | None:
    """Return the pseudo-labels of a run that is not started yet; None for a started one, or for one without."""
    if run.pseudo_labels is None or (run.folder / PSEUDO_LABELS).exists():
        return None
    return choose_pseudo_labels(open_run(run.pseudo_labels), run.data, run.confidence)
