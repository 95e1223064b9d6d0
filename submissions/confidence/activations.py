"""Activations of a run's training and validation images, in `activations.npz`: what its unknown-camera score needs.

Tested by tests/submissions/confidence/test_unknown.py.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augment.loaders import reraise_input_errors
from augment.manipulations import MANIPULATIONS, fits
from augment.prefetch import prefetch
from competition.manipulation import UNALTERED
from competition.splits import validation_images
from competition.utils.atomic_files import atomic_write
from competition.utils.errors import InputError
from competition.utils.progress import progress_bar
from models.hidden import hidden_network
from models.recipe import Recipe
from models.saved import MODEL, load_model
from submissions.confidence.unknown_scores import Activations
from submissions.predict import evaluation_patches
from submissions.run import Run
from submissions.tasks import CAMERA

if TYPE_CHECKING:
    import keras

FILE_NAME = "activations.npz"
MAX_PHOTOS = 100  # training photos of each camera: more take time and hardly change the distances
BATCH = 8  # patches


@dataclass(frozen=True, eq=False)
class Images:
    """Images by known cameras.

    Attributes:
        activations: of their center patches.
        labels: index of the camera, (images,).
        is_manipulated: (images,) bool.
    """

    activations: Activations
    labels: NDArray[np.int64]
    is_manipulated: NDArray[np.bool_]


def scoring_network(run: Run) -> tuple[Path, Recipe]:
    """Return the file and the recipe of the network whose activations are used.

    It is the front end that the members share, or else the first member: the traces of a camera show in the features of
    a front end, while a backbone also sees the scene. In a run with folds it is that of the first part.
    """
    run = run.parts[0]
    if run.shared_front_end is not None:
        return run.front_end_folder / MODEL, run.shared_front_end
    member = run.members[0]
    return run.member_folder(member) / MODEL, run.recipes[member]


def save_activations(run: Run) -> None:
    """Compute the activations of training and validation images and write them, unless they exist.

    Raises:
        InputError: the network is missing or damaged, or a photo cannot be decoded.
    """
    if (run.folder / FILE_NAME).exists():
        return
    path, recipe = scoring_network(run)
    network = hidden_network(load_model(path), CAMERA)
    arrays: dict[str, Any] = {}
    part = run.parts[0]
    for split, table in (("training", training_images(part, recipe)), ("validation", part.validation)):
        activations = compute_activations(network, table, run.data, recipe, f"{split} images")
        arrays[f"{split}_hidden"] = activations.hidden.astype(np.float16)
        arrays[f"{split}_logits"] = activations.logits.astype(np.float32)
        arrays[f"{split}_labels"] = run.targets.labels(table)[CAMERA].astype(np.int64)
        arrays[f"{split}_is_manipulated"] = (table["manipulation"] != UNALTERED).to_numpy(bool)
    with atomic_write(run.folder / FILE_NAME) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)


def load_activations(run: Run) -> tuple[Images, Images]:
    """Read the training and the validation images that `save_activations` wrote.

    Raises:
        InputError: the file is missing or damaged.
    """
    path = run.folder / FILE_NAME
    if not path.is_file():
        raise InputError(f"{path} does not exist; run predict {run.folder} first")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is damaged; delete it and run predict {run.folder}")
    try:
        with np.load(path, allow_pickle=False) as file:
            training, validation = (
                Images(
                    Activations(file[f"{split}_hidden"].astype(np.float64), file[f"{split}_logits"]),
                    file[f"{split}_labels"],
                    file[f"{split}_is_manipulated"],
                )
                for split in ("training", "validation")
            )
            return training, validation
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run predict {run.folder}") from None


def training_images(run: Run, recipe: Recipe) -> pd.DataFrame:
    """Return at most `MAX_PHOTOS` training photos of each camera, unaltered and, if validation has such, manipulated.

    The table has the columns path, camera, manipulation and split.
    """
    photos = run.manifest[run.manifest["split"] == "train"].sample(frac=1, random_state=run.seed)
    photos = photos.groupby("camera").head(MAX_PHOTOS).assign(split="validation")
    images = validation_images(
        photos, MANIPULATIONS, lambda height, width, name: fits(height, width, name, recipe.test_patch), run.seed
    )
    if (run.validation["manipulation"] == UNALTERED).all():
        images = images[~images["is_manipulated"]]
    return images.drop(columns="is_manipulated").assign(split="train")


def compute_activations(
    network: "keras.Model", table: pd.DataFrame, folder: Path, recipe: Recipe, title: str
) -> Activations:
    """Compute the activations of the center patches of images.

    Args:
        network: of `models.hidden.hidden_network`.
        table: columns path (relative to `folder`), manipulation and split, as `EvaluationPatches` takes them.
        folder: of the images.
        recipe: how the network was trained.
        title: of the progress.

    Raises:
        InputError: a photo cannot be decoded.
    """
    patches = evaluation_patches(table, folder, {}, recipe, BATCH)
    with reraise_input_errors(patches), progress_bar(title, len(patches), "batch") as bar:
        outputs = []
        for inputs, *_ in prefetch(patches.__getitem__, len(patches)):
            outputs.append(network.predict_on_batch(inputs))
            bar.update()
    return Activations(*(np.concatenate([output[name] for output in outputs]) for name in ("hidden", "logits")))
