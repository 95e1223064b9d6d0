"""When to balance classes: the accuracy of every method on test sets whose cameras have equal or unequal shares."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from competition.metrics.bootstrap import percentile_interval
from competition.metrics.weighted_accuracy import weighted_accuracy
from competition.utils.tables import format_interval
from submissions.balancing import METHODS, WITH_QUOTAS, assign_within, equal_quotas_within
from submissions.blending import blend_members
from submissions.leaderboards.evaluation import Evaluation

DRAWS = 200
# How the shares of the cameras are drawn: the concentration of a Dirichlet distribution, None for equal shares.
SHARES = {"equal": None, "mildly unequal (Dirichlet 50)": 50.0, "strongly unequal (Dirichlet 5)": 5.0}
EQUAL, TRUE = "equal", "true"  # what is taken as quotas
COLUMNS = ["shares", "method", "quotas", "accuracy", "low", "high", "gain", "gain_low", "gain_high"]


def class_balance(
    evaluation: Evaluation, training_shares: ArrayLike | None = None, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """Compare the methods of balancing on test sets that are drawn from predictions with known cameras.

    Each test set draws its shares of the cameras, and then that many images of each camera with replacement, among the
    unaltered and among the manipulated images separately. It has as many images of both kinds as `evaluation`, up to a
    multiple of the number of cameras.

    Args:
        evaluation: predictions of the members and the truth, with images of every camera, unaltered and manipulated.
        training_shares: for the method `prior`, see `submissions.balancing.assign`.
        draws: number of test sets for each kind of shares.
        seed: of the draws.

    Returns:
        One row per kind of shares and method, with the columns `COLUMNS`: quotas (`equal`, as a competitor assumes;
        `true`, those of the test set; empty for methods without), the mean weighted accuracy of the blend and its gain
        over the method `none` on the same images, with the central 95 % of the draws.
    """
    blended, rng = blend_members(evaluation.members), np.random.default_rng(seed)
    rows = []
    for name, concentration in SHARES.items():
        scores: dict[tuple[str, str], list[float]] = {}
        for _ in range(draws):
            images = _draw(evaluation, concentration, rng)
            for key, labels in _labels(evaluation, blended, images, training_shares):
                truth, flags = evaluation.y_true[images], evaluation.is_manipulated[images]
                scores.setdefault(key, []).append(weighted_accuracy(truth, labels, flags))
        plain = np.array(scores["none", ""])
        for (method, quotas), found in scores.items():
            values = np.array(found)
            row = [value.mean(axis=0) for value in (values, values - plain)]
            intervals = [percentile_interval(value) for value in (values, values - plain)]
            rows.append([name, method, quotas, row[0], *intervals[0], row[1], *intervals[1]])
    return pd.DataFrame(rows, columns=COLUMNS)


def describe_class_balance(table: pd.DataFrame) -> dict[str, list[str]]:
    """The table of `class_balance` as columns of text, for `competition.utils.tables`."""
    return {
        "true shares": table["shares"].tolist(),
        "method": table["method"].tolist(),
        "quotas": table["quotas"].tolist(),
        "weighted accuracy": list(map(format_interval, table["accuracy"], table["low"], table["high"])),
        "gain": list(map(format_interval, table["gain"], table["gain_low"], table["gain_high"])),
    }


def _draw(evaluation: Evaluation, concentration: float | None, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices of the images of one test set."""
    classes = len(evaluation.classes)
    equal = np.full(classes, 1 / classes)
    shares = equal if concentration is None else rng.dirichlet(np.full(classes, concentration))
    drawn = []
    for flag in (False, True):
        part = np.flatnonzero(evaluation.is_manipulated == flag)
        for label, count in enumerate(_round(shares, len(part) // classes * classes)):
            drawn.append(rng.choice(part[evaluation.y_true[part] == label], count))
    return np.concatenate(drawn)


def _round(shares: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Integers that add up to `total`, with the largest remainders rounded up."""
    counts = np.floor(shares * total).astype(np.int64)
    largest = np.argsort(counts - shares * total, kind="stable")[: total - counts.sum()]
    counts[largest] += 1
    return counts


def _labels(
    evaluation: Evaluation, blended: NDArray[np.float64], images: NDArray[np.int64], training_shares: ArrayLike | None
) -> Iterator[tuple[tuple[str, str], NDArray[np.int64]]]:
    """The labels of the images by every method, with equal and with true quotas."""
    classes, flags, truth = len(evaluation.classes), evaluation.is_manipulated[images], evaluation.y_true[images]
    true = np.stack([np.bincount(truth[part], minlength=classes) for part in (~flags, flags)])
    for method in METHODS:
        takes_quotas = method in (*WITH_QUOTAS, "soft")
        quotas = {EQUAL: equal_quotas_within(flags, classes), TRUE: true} if takes_quotas else {"": None}
        for name, values in quotas.items():
            yield (method, name), assign_within(blended[images], flags, values, method, training_shares)
