"""Blending: the mean of several views or members, renormalized so that the probabilities of an image sum to one."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from competition.utils.errors import InputError, unknown_name
from submissions.prediction_cache import Predictions, load_members
from submissions.run import Run
from submissions.tasks import JOINT_HEAD

ByHead = dict[str, NDArray[np.float64]]  # head → probabilities (images, classes)

# The smallest normal float32. A softmax may underflow to zero, and one zero would exclude a class from a product.
SMALLEST = float(np.finfo(np.float32).tiny)


def _arithmetic(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return probabilities.mean(axis=0)


def _quadratic(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.square(probabilities).mean(axis=0))


def _geometric(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(np.log(np.maximum(probabilities, SMALLEST)).mean(axis=0))


KINDS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "arithmetic": _arithmetic,
    "quadratic": _quadratic,
    "geometric": _geometric,
}
DEFAULT = "quadratic"  # what the blog's ensemble used for views and for members


def blend(probabilities: ArrayLike, kind: str = DEFAULT) -> NDArray[np.float64]:
    """Blend probabilities of several views or members of the same images.

    Args:
        probabilities: (views or members, images, classes), finite and ≥ 0.
        kind: `arithmetic`, the mean; `quadratic`, the root of the mean square, which gives confident members more
            weight; or `geometric`, the exponential of the mean logarithm, which gives members that exclude a class
            more weight.

    Returns:
        float64 (images, classes). Rows sum to one: quadratic and geometric means are renormalized, because log loss
        and balancing compare the rows.

    Raises:
        InputError: unknown kind.
        ValueError: another shape, negative or infinite values, or an image without any probability.
    """
    if kind not in KINDS:
        raise unknown_name("blend", kind, KINDS)
    values = np.asarray(probabilities, dtype=np.float64)
    if values.ndim != 3 or not values.size:
        raise ValueError(f"expected probabilities (views or members, images, classes); got shape {values.shape}")
    if not np.isfinite(values).all() or (values < 0).any() or (values.sum(axis=(0, 2)) == 0).any():
        raise ValueError("expected finite probabilities ≥ 0, at least one above 0 for every image")
    mean = KINDS[kind](values)
    return mean / mean.sum(axis=-1, keepdims=True)


def average_views(predictions: Predictions) -> NDArray[np.float64]:
    """Average the views of a member, (images, classes); only view 0 counts where the member does not use TTA."""
    return blend(predictions.probabilities if predictions.use_tta else predictions.probabilities[:1])


def blend_members(members: Mapping[str, Predictions], kind: str = DEFAULT) -> NDArray[np.float64]:
    """Average the views of every member, then blend the members: float64 (images, classes)."""
    return blend([average_views(predictions) for predictions in members.values()], kind)


def settings_entries(run: Run, split: str) -> dict[str, ByHead]:
    """Probabilities of the settings by every member that has predictions of all of them, and by the blend of several.

    Returns entry → head → probabilities. Heads are the settings with labels, and the joint head of a correlated output.
    The last entry is the one to submit: the blend, or the only member.

    Raises:
        InputError: the run was not trained on settings, or no member has all predictions for `split`.
    """
    heads = [*run.targets.labeled_settings, *([JOINT_HEAD] if run.task.output == "correlated" else [])]
    by_head = {head: load_members(run, split, head) for head in heads}
    complete = [member for member in run.recipes if all(member in members for members in by_head.values())]
    if not complete:
        raise InputError(f"the run {run.folder} has no predictions for {split}; run predict first")
    entries = {
        member: {head: average_views(members[member]) for head, members in by_head.items()} for member in complete
    }
    if len(complete) > 1:
        entries[f"blend {DEFAULT}"] = {
            head: blend_members({member: members[member] for member in complete}) for head, members in by_head.items()
        }
    return entries
