"""Do the chances of `submissions.leaderboards.shakeup` come true? Measured on images with a known solution."""

from itertools import permutations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.metrics.calibration import Reliability, reliability
from competition.metrics.weighted_accuracy import weighted_accuracy
from competition.utils.tables import format_interval
from submissions.leaderboards.camera import entries
from submissions.leaderboards.evaluation import Evaluation
from submissions.leaderboards.shakeup import PUBLIC_SHARE, simulate

SOLUTIONS = 20
DRAWS = 2000  # of each simulation
COLUMNS = ["solution", "leader", "other", "chance", "kept"]


def observe_leads(
    evaluation: Evaluation, solutions: int = SOLUTIONS, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """Compare simulated chances to keep a lead with what happens, on several virtual solutions.

    For each virtual solution, the images that a competitor knows and those of a test set are drawn independently of
    each other, with replacement, from all images: for each as many unaltered and as many manipulated ones as there are.
    The chances are simulated from the known images. 30 % of the test set are public. A division of the images into two
    halves would mislead: an entry that is better on one half than on all images is worse on the other one.

    Args:
        evaluation: predictions and truth of a test set, whose images show different photos.
        solutions: number of virtual solutions.
        draws: of each simulation.
        seed: of the drawn images and the simulations.

    Returns:
        One row per virtual solution and pair of entries of which one leads on public: columns `COLUMNS`. `chance` is
        the simulated chance that it also leads on private, and `kept` is 1 if it does, 0.5 for a tie, else 0.
    """
    flags = evaluation.is_manipulated
    labels = {name: values.argmax(axis=1) for name, (values, _) in entries(evaluation, None).items()}
    rng = np.random.default_rng(seed)
    rows = []
    for solution in range(solutions):
        known, public, private = _draw(flags, rng)
        correct = {name: label[known] == evaluation.y_true[known] for name, label in labels.items()}
        chances = simulate(correct, flags[known], np.arange(len(known)), draws, seed + solution).chances()
        scores = {
            name: [weighted_accuracy(evaluation.y_true[part], label[part], flags[part]) for part in (public, private)]
            for name, label in labels.items()
        }
        for (first, leader), (second, other) in permutations(enumerate(labels), 2):
            difference = np.round(np.subtract(scores[leader], scores[other]), 12)
            if difference[0] > 0 and np.isfinite(chances[first, second]):
                rows.append([solution, leader, other, chances[first, second], (np.sign(difference[1]) + 1) / 2])
    return pd.DataFrame(rows, columns=COLUMNS)


def lead_reliability(leads: pd.DataFrame, seed: int = 0) -> Reliability:
    """Return the reliability diagram of the chances; whole virtual solutions are resampled."""
    return reliability(leads["chance"], leads["kept"], leads["solution"], seed)


def describe_reliability(diagram: Reliability) -> dict[str, list[str]]:
    """Return the bins of a reliability diagram as columns of text."""
    return {
        "simulated chance": [f"{chance:.3f}" for chance in diagram.confidence],
        "observed frequency": list(map(format_interval, diagram.accuracy, diagram.low, diagram.high)),
    }


def _draw(flags: NDArray[np.bool_], rng: np.random.Generator) -> tuple[NDArray[np.int64], ...]:
    """Indices of the known, the public and the private images."""
    parts: tuple[list[NDArray[np.int64]], ...] = [], [], []
    for flag in (False, True):
        images = np.flatnonzero(flags == flag)
        public = round(PUBLIC_SHARE * len(images))
        for part, count in zip(parts, (len(images), public, len(images) - public), strict=True):
            part.append(rng.choice(images, count))
    return tuple(np.concatenate(part) for part in parts)
