"""What links between test images are worth, where the solution is known."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from competition.metrics.log_loss import log_loss_difference
from competition.metrics.weighted_accuracy import accuracy_difference
from competition.utils.tables import format_interval
from submissions.blending import blend_members
from submissions.fingerprints.pull import pull_together
from submissions.leaderboards.evaluation import evaluate_test
from submissions.run import Run


def describe_gain(run: Run, links: NDArray[np.bool_]) -> Iterator[str]:
    """Yield lines: the scores of the blend on the test set with links and their gain; none without a solution.csv.

    Args:
        run: with predictions of the test set.
        links: see `submissions.fingerprints.pull.link_images`, in the order of the run's test images.
    """
    test = evaluate_test(run)
    if test is None:
        return
    blended = blend_members(test.members)
    pulled = pull_together(blended, links)
    score = test.score(pulled)
    same = test.y_true[:, None] == test.y_true
    pairs = np.triu(links, 1)
    names = test.truth["name"].to_numpy()
    accuracies = accuracy_difference(
        test.y_true, pulled.argmax(axis=1), blended.argmax(axis=1), test.is_manipulated, groups=names
    )
    losses = log_loss_difference(pulled, blended, test.y_true, names)
    yield f"{pairs.sum()} pairs, {(pairs & ~same).sum()} of them by different cameras"
    yield (
        f"blend with fingerprints, on the test set: weighted accuracy "
        f"{format_interval(score['weighted_accuracy'], *score['interval'])}, against the blend "
        f"{format_interval(*accuracies)}, log loss {format_interval(*losses)} (95 % intervals)"
    )
