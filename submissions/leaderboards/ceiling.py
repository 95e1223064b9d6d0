"""The ceiling of settings: how well their bins can be predicted from what the simulator knows of each photo.

Gradient boosting predicts every setting from the noise level, the blur widths and the motion that the simulator applied
(`competition.virtual.degradations`). No network is given these numbers. It must estimate them from pixels, so its
scores are lower.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.settings import UNKNOWN
from competition.virtual.degradations import COLUMNS, SIMULATION
from submissions.run import Run

TREES, LEARNING_RATE, LEAF = 100, 0.06, 20  # LEAF: fewest photos in a leaf


def predict_ceiling(run: Run, paths: Mapping[str, list[str]]) -> dict[str, dict[str, NDArray[np.float64]]] | None:
    """Predict the settings of photos from their degradations, after fitting to those of the training photos.

    Args:
        run: on simulated photos, or others.
        paths: of the photos to predict, by split.

    Returns:
        split → setting → probabilities (photos, bins). None if the data folder has no `simulation.csv`.
    """
    file = Path(run.data) / SIMULATION
    if not file.is_file():
        return None
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    known = pd.read_csv(file).set_index("path")[[*COLUMNS]]
    manifest = run.manifest
    training = manifest[manifest["split"] == "train"]
    labels = run.targets.labels(training)
    found: dict[str, dict[str, NDArray[np.float64]]] = {split: {} for split in paths}
    for name in run.targets.labeled_settings:
        labeled = labels[name] != UNKNOWN
        classifier = HistGradientBoostingClassifier(
            max_iter=TREES,
            learning_rate=LEARNING_RATE,
            min_samples_leaf=LEAF,
            class_weight="balanced",
            random_state=run.seed,
        )
        with threadpool_limits(1):  # on a busy machine, threads mostly wait for each other
            classifier.fit(known.loc[training["path"][labeled]].to_numpy(), labels[name][labeled])
        for split, photos in paths.items():
            probabilities = np.zeros((len(photos), run.task.bins))
            probabilities[:, classifier.classes_] = classifier.predict_proba(known.loc[photos].to_numpy())
            found[split][name] = probabilities
    return found
