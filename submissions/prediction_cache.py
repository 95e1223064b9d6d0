"""The prediction cache: probabilities of one member for every view of every image, in one .npz file per split."""

import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from competition.utils.atomic_files import atomic_write
from competition.utils.errors import InputError
from submissions.run import Run
from submissions.tasks import CAMERA

FIX = "delete the file and run predict again"
# Errors of numpy and zipfile; MemoryError for a header that promises a huge array.
DAMAGED = (
    *(ValueError, OSError, EOFError, TypeError, AttributeError, SyntaxError, MemoryError),
    *(tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)


@dataclass(frozen=True, eq=False)  # eq: arrays have no single truth value
class Predictions:
    """Predictions of one head of one member for a set of images.

    Attributes:
        names: (images,) str, file names of test images or paths of photos; a photo may occur several times.
        is_manipulated: (images,) bool.
        classes: class names, in the order of the last axis of `probabilities`.
        probabilities: (views, images, classes) float32; rows sum to one, view 0 is the image as it is.
        use_tta: whether averages use all views. False for a member that was not trained on dihedral transforms: it has
            never seen the color filter array of the other views.

    Raises:
        ValueError: shapes, dtypes or values do not fit together.
    """

    names: NDArray[np.str_]
    is_manipulated: NDArray[np.bool_]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    use_tta: bool = True

    def __post_init__(self) -> None:
        values, images = self.probabilities, len(self.names)
        if self.names.dtype.kind != "U" or self.names.ndim != 1:
            raise ValueError(f"names must be strings (images,); got {self.names.dtype}, shape {self.names.shape}")
        if self.is_manipulated.dtype != bool or self.is_manipulated.shape != (images,):
            raise ValueError(f"is_manipulated must be boolean ({images},); got shape {self.is_manipulated.shape}")
        if values.ndim != 3 or not values.shape[0] or values.shape[1:] != (images, len(self.classes)):
            raise ValueError(
                f"probabilities must be (views, {images} images, {len(self.classes)} classes); got shape {values.shape}"
            )
        if values.dtype != np.float32:
            raise ValueError(f"probabilities must be float32; got {values.dtype}")
        if not np.isfinite(values).all():
            raise ValueError("probabilities must be finite; got NaN or infinite values")
        if (values < 0).any() or not np.allclose(values.sum(axis=-1, dtype=np.float64), 1, atol=1e-3):
            raise ValueError("probabilities must be ≥ 0 and rows sum to one; got negative values or other sums")


def save(predictions: Predictions, path: Path | str) -> None:
    """Write predictions atomically as .npz."""
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.savez(
            file,
            names=predictions.names,
            is_manipulated=predictions.is_manipulated,
            classes=np.array(predictions.classes, dtype=np.str_),
            probabilities=predictions.probabilities,
            use_tta=np.array(predictions.use_tta),
        )


def load(path: Path | str) -> Predictions:
    """Read predictions that `save` wrote. Raises `InputError` if the file is missing, damaged or not valid."""
    if not Path(path).is_file():
        raise InputError(f"{path} does not exist; run predict first")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a predictions file, or is truncated; {FIX}")
    try:
        with np.load(path, allow_pickle=False) as file:
            return Predictions(
                names=file["names"],
                is_manipulated=file["is_manipulated"],
                classes=tuple(map(str, file["classes"])),
                probabilities=file["probabilities"],
                use_tta=bool(file["use_tta"]),
            )
    except KeyError as error:
        raise InputError(f"{path} lacks an array ({error.args[0]}); {FIX}") from None
    except DAMAGED as error:
        raise InputError(f"{path} is damaged ({error}); {FIX}") from None


def load_members(run: Run, split: str, head: str = CAMERA) -> dict[str, Predictions]:
    """Load the predictions of all members (`Run.entries`) that have some, by member.

    Args:
        run: a run with cached predictions.
        split: `validation` or `test`.
        head: one of the run's `targets.all_heads`.

    Raises:
        InputError: the run was not trained on `head`, or a file is damaged or does not match the manifest.
    """
    classes = run.targets.all_heads
    if head not in classes:
        raise InputError(
            f"the run {run.folder} was trained on {', '.join(classes)}, not on {head}; train with another --task"
        )
    table = run.images.get(split)
    if table is None:
        return {}
    paths = {member: run.predictions_file(member, split, head) for member in run.entries}
    members = {member: load(path) for member, path in paths.items() if path.exists()}
    for predictions in members.values():
        check_matches(predictions, table["path"].tolist(), classes[head])
    return members


def check_matches(predictions: Predictions, names: Sequence[str], classes: Sequence[str]) -> None:
    """Raise `InputError` unless the predictions are for exactly these images and classes, in this order."""
    if predictions.classes != tuple(classes):
        raise InputError(
            f"the predictions are for the classes {', '.join(predictions.classes)}; "
            f"expected {', '.join(classes)}; {FIX}"
        )
    found, expected = [str(name) for name in predictions.names], [str(name) for name in names]
    if found == expected:
        return
    missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    if missing or extra:
        what = f"{len(missing)} are missing and {len(extra)} are not expected, such as {(missing + extra)[0]}"
    else:
        what = f"{len(found)} images in another order or number than the {len(expected)} expected"
    raise InputError(f"the predictions are for other images: {what}; {FIX}")
