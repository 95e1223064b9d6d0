"""The cache between networks and answers: one member's probabilities for every view of every image."""

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from competition.utils.atomic_files import atomic_write
from competition.utils.errors import InputError
from submissions.blending import DEFAULT, blend

MEND = "delete the file and run predict again"


@dataclass(frozen=True, eq=False)  # eq: arrays have no single truth value
class Predictions:
    """What one member said of one set of images. Raises ValueError where the parts do not fit together.

    names: (images,) str, test file names or paths of photographs (one photograph may occur several times).
    is_manipulated: (images,) bool. classes: the cameras, in the order of the last axis. probabilities: (views, images,
    classes) float32, rows summing to one; view 0 is the image as it is. turns: whether the member was trained on turned
    patches; the other views of one that was not show it what it never saw.
    """

    names: NDArray[np.str_]
    is_manipulated: NDArray[np.bool_]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    dihedral: bool = True

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
            raise ValueError("probabilities hold NaN or infinite values")
        if (values < 0).any() or not np.allclose(values.sum(axis=-1, dtype=np.float64), 1, atol=1e-3):
            raise ValueError("probabilities hold rows that are negative or do not sum to one")


def answer(predicted: Predictions, kind: str = DEFAULT) -> NDArray[np.float64]:
    """One answer per image, (images, classes): all views blended where the member knows them, else the first."""
    return blend(predicted.probabilities if predicted.dihedral else predicted.probabilities[:1], kind)


def save(predictions: Predictions, path: Path | str) -> None:
    """Write predictions as .npz, whole or not at all."""
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.savez(
            file,
            names=predictions.names,
            is_manipulated=predictions.is_manipulated,
            classes=np.array(predictions.classes, dtype=np.str_),
            probabilities=predictions.probabilities,
            dihedral=np.array(predictions.dihedral),
        )


def load(path: Path | str) -> Predictions:
    """Read what `save` wrote. InputError for a file that is missing, damaged or not valid."""
    if not Path(path).is_file():
        raise InputError(f"{path} does not exist; run predict first")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a predictions file or was cut short; {MEND}")
    try:
        with np.load(path, allow_pickle=False) as file:
            return Predictions(
                names=file["names"],
                is_manipulated=file["is_manipulated"],
                classes=tuple(map(str, file["classes"])),
                probabilities=file["probabilities"],
                dihedral=bool(file["turns"]),
            )
    except KeyError as error:
        raise InputError(f"{path} lacks a part ({error.args[0]}); {MEND}") from None
    except (ValueError, OSError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is damaged ({error}); {MEND}") from None


def check_matches(predictions: Predictions, names: Sequence[str], classes: Sequence[str]) -> None:
    """InputError unless the predictions are of exactly these images and these classes, in this order."""
    if predictions.classes != tuple(classes):
        raise InputError(
            f"the predictions are for the classes {', '.join(predictions.classes)}; "
            f"expected {', '.join(classes)}; {MEND}"
        )
    found, expected = [str(name) for name in predictions.names], [str(name) for name in names]
    if found == expected:
        return
    missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    if missing or extra:
        what = f"{len(missing)} are missing and {len(extra)} are not expected, such as {(missing + extra)[0]}"
    else:
        what = f"{len(found)} images in another order or number than the {len(expected)} expected"
    raise InputError(f"the predictions are of other images: {what}; {MEND}")
