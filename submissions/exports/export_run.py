"""Export the members of a run and their ensemble, checked on images of the run.

Tested by tests/commands/test_export.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from augment.crops import center_offset
from competition.utils.atomic_files import write_json
from competition.utils.errors import InputError
from competition.utils.progress import with_progress
from models.export.checked import export_checked, file_bytes, predict_reference
from models.export.standalone import Member, ensemble_network, member_network, patch_side
from models.saved import MODEL, load_model
from submissions.predict import evaluation_patches
from submissions.run import Run

DESCRIPTION = "export.json"
CHECKED = 16  # validation images on which a file is compared with Keras


@dataclass(frozen=True)
class Exported:
    """A written file: its path, the side of its patches, its bytes, and the largest difference to Keras."""

    path: Path
    side: int
    size: int
    difference: float


def export_run(run: Run, format_name: str, folder: Path) -> list[Exported]:
    """Write one file for each member and one for the ensemble, and `export.json`, which describes them.

    A member's file predicts a patch as it is. The ensemble averages all views of each member and blends the members,
    both quadratically.

    Args:
        run: a trained run.
        format_name: one of `models.export.formats.FORMATS`.
        folder: of the files.

    Raises:
        InputError: a member is not trained, members see different inputs, the photos of the run are missing, or see
            `models.export.checked.export_checked`.
    """
    _check_inputs(run)
    patches, flags = check_images(run)
    written = []
    networks = list(run_networks(run))
    for network in with_progress(networks, f"export to {format_name}", len(networks), "file"):
        side = patch_side(network)
        reference = predict_reference(network, centers(patches, side), flags)
        path, difference = export_checked(network, folder, format_name, reference)
        written.append(Exported(path, side, file_bytes(path), difference))
    write_json(_description(run, format_name, written), folder / DESCRIPTION)
    return written


def run_networks(run: Run) -> Iterator[keras.Model]:
    """Yield the networks to export: one for each member, then the ensemble."""
    members = [
        Member(load_model(run.member_folder(member) / MODEL), recipe.test_patch, recipe.views)
        for member, recipe in run.recipes.items()
    ]
    yield from map(member_network, members)
    yield ensemble_network(members)


def check_images(run: Run, count: int = CHECKED) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the largest patches of validation images of a run, and their flags.

    Both have (count, …) entries: uint8 (side, side, 3) and float32 (1,).
    """
    table = run.validation
    rows = np.unique(np.linspace(0, len(table) - 1, count).round().astype(int))  # of all cameras, also manipulated ones
    recipe = max(run.recipes.values(), key=lambda recipe: recipe.test_patch)
    inputs, *_ = evaluation_patches(table.iloc[rows], run.data, {}, recipe, batch=len(rows))[0]
    return inputs["patch"], inputs["is_manipulated"]


def centers(patches: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return the centers of patches, uint8 (count, side, side, 3)."""
    first = center_offset(patches.shape[1], side)
    return np.ascontiguousarray(patches[:, first : first + side, first : first + side])


def _check_inputs(run: Run) -> None:
    """Raise `InputError` unless the members can see one patch, or one whole photo."""
    inputs = {recipe.patches.input for recipe in run.recipes.values()}
    squashed = {(recipe.test_patch, recipe.patches.padding) for recipe in run.recipes.values()}
    if inputs != {"patch"} and (len(inputs) > 1 or len(squashed) > 1):
        raise InputError(
            f"the members of {run.folder} see different inputs; expected patches, or whole photos of one size"
        )


def _description(run: Run, format_name: str, written: list[Exported]) -> dict[str, object]:
    recipe = next(iter(run.recipes.values()))
    padding = f" with a border of {recipe.patches.padding} zeros" if recipe.patches.padding else ""
    photo = "the center of the photo" if recipe.patches.input == "patch" else f"the photo resized to a square{padding}"
    return {
        "run": run.folder.name,
        "note": run.note,
        "format": format_name,
        "inputs": {
            "patch": f"uint8 (batch, side, side, 3) RGB: {photo}",
            "is_manipulated": "float32 (batch, 1): 1 for a photo that was altered after the camera wrote it, else 0",
        },
        "classes": {head: list(classes) for head, classes in run.targets.heads.items()},
        "files": {
            exported.path.name: {
                "side": exported.side,
                "bytes": exported.size,
                "max_difference_to_keras": exported.difference,
            }
            for exported in written
        },
    }
