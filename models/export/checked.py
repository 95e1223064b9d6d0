"""Write a network as a file of another format, if its predictions equal those of Keras."""

import shutil
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from competition.utils.errors import InputError
from models.export.formats import IS_MANIPULATED, PATCH, Predict, find_format

TOLERANCE = 1e-4  # largest difference of a probability


class Reference(NamedTuple):
    """Patches with the predictions of Keras.

    Attributes:
        patches: uint8 (images, side, side, 3).
        is_manipulated: float32 (images, 1).
        expected: predictions of each image by head, float32 (1, classes).
    """

    patches: NDArray[np.uint8]
    is_manipulated: NDArray[np.float32]
    expected: list[dict[str, NDArray[np.float32]]]


def predict_reference(
    network: keras.Model, patches: NDArray[np.uint8], is_manipulated: NDArray[np.float32]
) -> Reference:
    """Predict patches with Keras, one by one."""
    inputs = zip(patches[:, None], is_manipulated[:, None], strict=True)
    expected = [network.predict_on_batch({PATCH: patch, IS_MANIPULATED: flag}) for patch, flag in inputs]
    return Reference(patches, is_manipulated, expected)


def export_checked(network: keras.Model, folder: Path, format_name: str, reference: Reference) -> tuple[Path, float]:
    """Write `folder/<name of the network><suffix>`; returns its path and the largest difference to Keras.

    The file is written under a temporary name, read as a program would read it, and compared with the reference. It
    replaces an existing export.

    Args:
        network: of `models.export.standalone`.
        folder: of the file.
        format_name: one of `models.export.formats.FORMATS`.
        reference: predictions of the network.

    Raises:
        InputError: packages are missing, the path exists and is no export, or a probability differs by more than
            `TOLERANCE`. Nothing is written then.
    """
    kind = find_format(format_name)
    path = folder / f"{network.name}{kind.suffix}"
    if path.exists() and path.is_dir() != (not kind.suffix):
        raise InputError(f"{path} is no export of the format {format_name}; move it, or choose another --out")
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".partial.{path.name}"
    _remove(partial)
    try:
        kind.write(network, partial)
        difference = max_difference(kind.read(partial, 1), reference)
        if not difference <= TOLERANCE:
            raise InputError(
                f"the export of {network.name} differs from Keras by {difference:.1e}, more than {TOLERANCE:.0e}; "
                "nothing was written: please report this"
            )
        _remove(path)
        partial.rename(path)
    finally:
        _remove(partial)
    return path, difference


def max_difference(predict: Predict, reference: Reference) -> float:
    """Return the largest difference of a probability between a file and the reference; NaN if there is a NaN."""
    differences = []
    for patch, flag, expected in zip(*reference, strict=True):
        found = predict(patch[None], flag[None])
        if expected.keys() != found.keys():
            raise ValueError(f"the file has the outputs {sorted(found)}, expected {sorted(expected)}")
        differences += [np.abs(found[head] - expected[head]).max() for head in expected]
    return float(np.max(differences))


def file_bytes(path: Path) -> int:
    """Return the size of a file, or of all files in a folder, bytes."""
    return sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
