"""Features of patches by the networks that a probe compares.

The networks are the image encoder of a run, the same network without training, and a camera classifier.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augment.decode import read_pixels
from augment.prefetch import prefetch
from competition.utils.errors import InputError
from competition.utils.progress import progress_bar
from models.members import smallest_patch
from models.saved import MODEL, load_model
from submissions.exif_language import ExifRun
from submissions.probes.targets import Pixels, Sample
from submissions.run import Run, open_run

BATCH_SIZE = 128  # patches per call of a network

Network = Callable[[Pixels], NDArray[np.floating]]  # patches, uint8 (batch, side, side, 3) → features (batch, width)


def trained_encoder(run: ExifRun) -> Network:
    """Return the image encoder of a run, whose features are embeddings of unit norm."""
    return load_model(run.image).predict_on_batch


def untrained_encoder(run: ExifRun) -> Network:
    """Return the same network with random weights, drawn with the seed of the run."""
    import keras

    from models.exif_language.encoders import image_encoder

    keras.utils.set_random_seed(run.seed)
    return image_encoder(run.recipe.member, run.recipe.width).predict_on_batch


def classifier_features(run: Run, member: str) -> Network:
    """Return the inputs of the camera logits of a member: the last hidden layers of its front end and backbone."""
    import keras

    model = load_model(run.member_folder(member) / MODEL)
    logits = [layer for layer in model.layers if layer.name in ("front_end_camera", "camera_logits")]
    hidden = keras.Model(model.input, {layer.name: layer.input for layer in logits})

    def predict(patches: Pixels) -> NDArray[np.floating]:
        inputs: dict[str, Any] = {"patch": patches, "is_manipulated": np.zeros((len(patches), 1), np.float32)}
        return np.concatenate(list(hidden.predict_on_batch(inputs).values()), axis=1)

    return predict


def find_classifier(run: ExifRun, folder: Path | None) -> tuple[Run, str] | None:
    """Find a camera classifier to compare with, and its first finished member that takes patches of the run's size.

    Args:
        run: that is probed.
        folder: of the classifier; None for the newest run beside `run` that was trained on the same data.

    Returns:
        The classifier and its member; None if `folder` is None and there is no such run.

    Raises:
        InputError: the run in `folder` has no such member.
    """
    if folder is not None:
        classifier = open_run(folder)
        members = _finished_members(classifier, run.recipe.test_patch)
        if not members:
            raise InputError(
                f"the run {folder} has no finished camera classifier for patches of {run.recipe.test_patch} pixels; "
                "pass another --classifier, or finish the run with its train command"
            )
        return classifier, members[0]
    found = []
    for config in run.folder.parent.glob("*/config.json"):
        try:
            classifier = open_run(config.parent)
        except InputError:  # a run of another kind or format
            continue
        members = _finished_members(classifier, run.recipe.test_patch) if classifier.data == run.data else []
        if members:
            modified = (classifier.member_folder(members[0]) / MODEL).stat().st_mtime
            found.append((modified, classifier, members[0]))
    return max(found, key=lambda candidate: candidate[0])[1:] if found else None


def extract_features(networks: Mapping[str, Network], sample: Sample) -> dict[str, NDArray[np.float64]]:
    """Compute the features of the patches of every photo by every network: name → float64 (photos, patches, width).

    Every photo is decoded once.

    Raises:
        InputError: a photo cannot be read or is smaller than a patch.
    """
    batches: dict[str, list[NDArray[np.floating]]] = {name: [] for name in networks}
    crops = prefetch(partial(_read_patches, sample), len(sample.names))
    with progress_bar("embeddings", len(sample.names), "photo") as progress:
        while chunk := list(islice(crops, BATCH_SIZE)):
            pixels = np.concatenate(chunk)
            for start in range(0, len(pixels), BATCH_SIZE):
                for name, network in networks.items():
                    batches[name].append(network(pixels[start : start + BATCH_SIZE]))
            progress.update(len(chunk))
    return {
        name: np.concatenate(parts).astype(np.float64).reshape(len(sample.names), -1, parts[0].shape[1])
        for name, parts in batches.items()
    }


def _finished_members(run: Run, side: int) -> list[str]:
    """Members that are trained, predict the camera and take patches of `side` pixels."""
    if not run.task.camera:
        return []
    return [
        member
        for member, recipe in run.recipes.items()
        if recipe.patches.input == "patch"
        and smallest_patch(member) <= side
        and (run.member_folder(member) / MODEL).is_file()
    ]


def _read_patches(sample: Sample, index: int) -> Pixels:
    path = sample.folder / str(sample.names[index])
    pixels = read_pixels(path)
    try:
        return sample.crop(pixels, index)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
