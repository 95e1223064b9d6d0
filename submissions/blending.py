"""Blending: the mean of several views, members or folds, such that the probabilities of an image sum to one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from competition.manipulation import UNALTERED
from competition.utils.errors import InputError, unknown_name
from submissions.prediction_cache import Predictions, load, load_members, save
from submissions.run import BAG, FOLD, FRONT_END, Run
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


def merge_folds(run: Run) -> None:
    """Cache the predictions of a run with folds, from those of its parts, unless they exist.

    The predictions of an image for validation are those of the part that left out its fold. Those of a test image are
    the mean over the parts, for each member and view. With `fold_of_member`, there are only predictions called `BAG`:
    an image for validation is predicted by the one member that left out its fold, and a test image by the blend of all
    members, after their views were averaged.

    Raises:
        InputError: a part has no predictions.
    """
    if not run.folds:
        return
    entries = {member: [(part, member) for part in run.parts] for member in run.members}
    if run.fold_of_member:
        entries = {BAG: [(part, member) for part in run.parts for member in part.members]}
    if run.shared_front_end is not None:
        entries[FRONT_END] = [(part, FRONT_END) for part in run.parts]
    for entry, sources in entries.items():
        for split, images in run.images.items():
            path = run.predictions_file(entry, split)
            if not path.exists():
                parts = [load(part.predictions_file(name, split)) for part, name in sources]
                if entry == BAG:
                    parts = [_one_view(average_views(predictions), predictions) for predictions in parts]
                save(_out_of_fold(parts, images) if split == "validation" else _mean(parts, bag=entry == BAG), path)


def _out_of_fold(parts: Sequence[Predictions], images: pd.DataFrame) -> Predictions:
    """Merge the predictions of the folds in the order of the validation images."""
    folds = images[FOLD].to_numpy().astype(np.int64)
    first = parts[0]
    merged = np.empty((len(first.probabilities), len(images), len(first.classes)), np.float32)
    for fold, predictions in enumerate(parts):
        merged[:, folds == fold] = predictions.probabilities
    names = images["path"].to_numpy(dtype=np.str_)
    return replace(first, names=names, is_manipulated=_flags(images), probabilities=merged)


def _mean(parts: Sequence[Predictions], bag: bool) -> Predictions:
    """The mean over the folds; the blend of the members of a bag."""
    values = [predictions.probabilities for predictions in parts]
    if bag:
        return _one_view(blend([of_member[0] for of_member in values]), parts[0])
    return replace(parts[0], probabilities=np.stack(values).mean(axis=0, dtype=np.float64).astype(np.float32))


def _one_view(probabilities: NDArray[np.float64], predictions: Predictions) -> Predictions:
    return replace(predictions, probabilities=probabilities[None].astype(np.float32), use_tta=False)


def _flags(images: pd.DataFrame) -> NDArray[np.bool_]:
    return (images["manipulation"] != UNALTERED).to_numpy(dtype=bool)


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
