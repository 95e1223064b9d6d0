"""Shake-up: how the ranking of entries changes from the public to the private leaderboard.

Competitors see scores on the public part of a test set (30 % of the images), and the private part decides. Here both
parts are drawn many times from validation predictions, so that the chance that an entry keeps its lead can be counted.

Each draw first draws a population by the Bayesian bootstrap (Rubin 1981), and then the photos of the public and of the
private part from that population. A split of the validation photos themselves would mislead: their total is fixed, so
that of two entries with equal validation scores the leader of the public part always loses the private one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from competition.metrics.weighted_accuracy import MANIPULATED_WEIGHT, UNALTERED_WEIGHT
from competition.utils.errors import InputError
from competition.utils.tables import MISSING, text_table
from submissions.leaderboards.camera import validation_entries
from submissions.leaderboards.evaluation import evaluate_validation
from submissions.run import Run

DRAWS = 10_000
PUBLIC_SHARE = 0.3
SHOWN = 10  # entries in the printed table of pairs
BLOCK = 2_000_000  # numbers that are drawn at once


@dataclass(frozen=True, eq=False)
class ShakeUp:
    """Simulated leaderboards.

    Attributes:
        entries: names of the entries.
        scores: weighted accuracy of each entry on all validation images, (entries,).
        public, private: weighted accuracies, (draws, entries).
    """

    entries: tuple[str, ...]
    scores: NDArray[np.float64]
    public: NDArray[np.float64]
    private: NDArray[np.float64]

    def chances(self) -> NDArray[np.float64]:
        """The chance that entry a beats entry b on private given that it leads on public: (entries a, entries b).

        Equal scores count as half a lead, and as half a win. NaN where a never leads.
        """
        chances = np.full((len(self.entries),) * 2, np.nan)
        for entry in range(len(self.entries)):
            lead = _wins(self.public[:, entry, None], self.public)
            kept = (lead * _wins(self.private[:, entry, None], self.private)).mean(axis=0)
            np.divide(kept, lead.mean(axis=0), out=chances[entry], where=lead.any(axis=0))
        return chances

    def table(self) -> pd.DataFrame:
        """One row per entry, the best validation score first.

        Columns entry, weighted_accuracy (on validation), public_rank and private_rank (means over the draws; rank 1 is
        the best, equal scores share their mean rank), rank_change (the mean of the absolute change from public to
        private), selected (see `select_two`), and `beats <other>` for each entry, see `chances`.
        """
        public, private = _ranks(self.public), _ranks(self.private)
        columns = {
            "entry": self.entries,
            "weighted_accuracy": self.scores,
            "public_rank": public.mean(axis=0),
            "private_rank": private.mean(axis=0),
            "rank_change": np.abs(private - public).mean(axis=0),
            "selected": np.isin(self.entries, self.select_two()[:2]),
        }
        chances = pd.DataFrame(self.chances(), columns=[f"beats {entry}" for entry in self.entries])
        table = pd.concat([pd.DataFrame(columns), chances], axis=1)
        return table.sort_values("weighted_accuracy", ascending=False, kind="stable", ignore_index=True)

    def select_two(self) -> tuple[str, str, float]:
        """The two entries to select on Kaggle, where the better one counts, and the expected score of that one."""
        best = (-np.inf, 0, 1)
        for one in range(len(self.entries) - 1):
            expected = np.maximum(self.private[:, one, None], self.private[:, one + 1 :]).mean(axis=0)
            other = int(expected.argmax())
            best = max(best, (float(expected[other]), one, one + 1 + other), key=lambda pair: pair[0])
        expected_score, one, other = best
        return self.entries[one], self.entries[other], expected_score


def simulate(
    correct: Mapping[str, ArrayLike], is_manipulated: ArrayLike, photos: ArrayLike, draws: int = DRAWS, seed: int = 0
) -> ShakeUp:
    """Draw public and private parts `draws` times.

    Args:
        correct: of each entry, whether its prediction of each image is right, boolean (images,).
        is_manipulated: boolean (images,).
        photos: name of the photo of each image, (images,). The images of a photo are in the same part. Photos that are
            unaltered only, manipulated only, and both are drawn separately: each kind is split 30 : 70.
        draws: number of draws.
        seed: of the draws.

    Raises:
        InputError: fewer than two entries, or too few photos to split.
    """
    if len(correct) < 2:
        raise InputError(f"a shake-up needs at least two entries, received {len(correct)}")
    flags = np.asarray(is_manipulated, dtype=bool)
    right = np.stack([np.asarray(values, dtype=bool) for values in correct.values()], axis=1)
    names, first, photo = np.unique(np.asarray(photos), return_index=True, return_inverse=True)
    weights = np.where(flags, MANIPULATED_WEIGHT, UNALTERED_WEIGHT)
    # Of each photo: the weighted numbers of right predictions of the entries, and of images.
    sums = np.zeros((len(names), right.shape[1] + 1))
    np.add.at(sums, photo, weights[:, None] * np.column_stack([right, np.ones(len(flags))]))
    kinds = np.zeros(len(names), dtype=np.int64)
    np.bitwise_or.at(kinds, photo, 1 + flags)
    order = np.argsort(first)  # of appearance, which does not depend on names
    sums, kinds = sums[order], kinds[order]

    rng = np.random.default_rng(seed)
    public, private = np.zeros((2, draws, sums.shape[1]))
    for kind in np.unique(kinds):
        outcomes, times = _distinct(sums[kinds == kind])
        total = int(times.sum())
        for_public = round(PUBLIC_SHARE * total)
        block = max(1, BLOCK // len(times))
        for part in (slice(start, start + block) for start in range(0, draws, block)):
            population = rng.gamma(times, size=(len(public[part]), len(times)))
            population /= population.sum(axis=1, keepdims=True)
            public[part] += rng.multinomial(for_public, population) @ outcomes
            private[part] += rng.multinomial(total - for_public, population) @ outcomes
    if not (public[:, -1].all() and private[:, -1].all()):
        raise InputError(f"{len(names)} photos are too few to split into public and private; expected at least 2")
    scores = sums.sum(axis=0)
    return ShakeUp(
        tuple(correct), scores[:-1] / scores[-1], *(part[:, :-1] / part[:, -1:] for part in (public, private))
    )


def simulate_runs(runs: Sequence[Run], draws: int = DRAWS, seed: int = 0) -> ShakeUp:
    """Simulate the shake-up of all entries of the camera leaderboards of some runs, from their validation predictions.

    Entries of several runs are called `<run>: <entry>`.

    Raises:
        InputError: a run has no predictions, two have the same name, or they are validated on different images.
    """
    evaluations = [evaluate_validation(run) for run in runs]
    first = evaluations[0]
    correct: dict[str, NDArray[np.bool_]] = {}
    for run, evaluation in zip(runs, evaluations, strict=True):
        if run.data.resolve() != runs[0].data.resolve() or not evaluation.truth.equals(first.truth):
            raise InputError(
                f"the runs {runs[0].folder} and {run.folder} are validated on different images; "
                "choose runs with the same --data and --seed"
            )
        prefix = f"{run.folder.name}: " if len(runs) > 1 else ""
        for entry, (probabilities, labels) in validation_entries(evaluation).items():
            predicted = probabilities.argmax(axis=1) if labels is None else labels
            if prefix + entry in correct:
                raise InputError(f"two runs are called {run.folder.name}; name each run once, or rename a folder")
            correct[prefix + entry] = predicted == evaluation.y_true
    return simulate(correct, first.is_manipulated, first.truth["name"], draws, seed)


def format_shakeup(shakeup: ShakeUp) -> str:
    """Format ranks, the chances of the best entries against each other, and the selection for a terminal."""
    table = shakeup.table()
    numbers = [str(number) for number in range(1, len(table) + 1)]
    ranks = {
        "": numbers,
        "entry": table["entry"],
        "validation": table["weighted_accuracy"],
        "public rank": [f"{rank:.1f}" for rank in table["public_rank"]],
        "private rank": [f"{rank:.1f}" for rank in table["private_rank"]],
        "change of rank": [f"{change:.1f}" for change in table["rank_change"]],
    }
    best = table.head(SHOWN)
    pairs = {"": numbers[:SHOWN], "entry": best["entry"]}
    for number, entry in zip(numbers, best["entry"], strict=False):
        pairs[number] = [
            MISSING if pd.isna(chance) or name == entry else f"{chance:.0%}"
            for chance, name in zip(best[f"beats {entry}"], best["entry"], strict=True)
        ]
    one, other, score = shakeup.select_two()
    return "\n".join(
        [
            text_table(ranks, left=2),
            "",
            "chance that an entry (row) beats another (column) on private, given that it leads on public:",
            text_table(pairs, left=2),
            "",
            f"select: {one} and {other} (expected private score of the better one {score:.3f})",
        ]
    )


def _wins(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 where our score is higher, 0.5 where both are equal, else 0."""
    difference = np.round(ours - theirs, 12)  # sums of the same weights in another order are equal
    return (np.sign(difference) + 1) / 2


def _ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks (draws, entries) from 1, the best; equal scores share their mean rank."""
    return np.stack([0.5 + _wins(scores, scores[:, entry, None]).sum(axis=1) for entry in range(scores.shape[1])], 1)


def _distinct(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The distinct rows and how often each occurs, in the order of their first appearance."""
    _, first, times = np.unique(rows, axis=0, return_index=True, return_counts=True)
    order = np.argsort(first)
    return rows[first[order]], times[order]
