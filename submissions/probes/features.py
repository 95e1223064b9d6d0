"""The networks whose frozen features are probed: a run's own, the same untrained, and a camera classifier's."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from augment.decode import read_pixels
from augment.prefetch import prefetch
from competition.utils.errors import InputError
from models.presets.exif_language import smallest_patch
from models.training.fit import MODEL, load_model
from submissions.exif_language import ExifRun
from submissions.probes.targets import Pixels, Sample
from submissions.run import Run, open_run

BATCH = 128  # patches in a call of a network

Network = Callable[[Pixels], NDArray[np.floating]]  # patches, uint8 (batch, side, side, 3) → features (batch, width)


def trained(run: ExifRun) -> Network:
    """The unit embeddings of a run's image encoder."""
    return load_model(run.image).predict_on_batch


def untrained(run: ExifRun) -> Network:
    """The unit embeddings of the same network with random weights, by the run's seed, that never saw a photograph."""
    import keras

    from models.exif_language.encoders import image_encoder

    keras.utils.set_random_seed(run.seed)
    return image_encoder(run.recipe.member, run.recipe.width).predict_on_batch


def of_classifier(run: Run, member: str) -> Network:
    """What a member's camera logits are computed from: its last hidden layer, or those of its stem and its backbone."""
    import keras

    model = load_model(run.member_folder(member) / MODEL)
    logits = [layer for layer in model.layers if layer.name in ("stem_camera", "camera_logits")]
    hidden = keras.Model(model.input, {layer.name: layer.input for layer in logits})

    def features(patches: Pixels) -> NDArray[np.floating]:
        shown: dict[str, Any] = {"patch": patches, "is_manipulated": np.zeros((len(patches), 1), np.float32)}
        return np.concatenate(list(hidden.predict_on_batch(shown).values()), axis=1)

    return features


def find_classifier(run: ExifRun, given: Path | None) -> tuple[Run, str] | None:
    """A finished camera classifier and its first finished member that can look at the run's patches.

    It is the run `given`, else the newest beside `run` that was trained on the same data; None where there is none.
    Raises `InputError` where the one given is of another kind or not finished.
    """
    if given is not None:
        opened = open_run(given)
        members = _usable(opened, run.recipe.patch)
        if not members:
            raise InputError(
                f"the run {given} has no finished member that tells cameras from patches of {run.recipe.patch} pixels; "
                "give another --classifier, or finish it with its train command"
            )
        return opened, members[0]
    found = []
    for config in run.folder.parent.glob("*/config.json"):
        try:
            opened = open_run(config.parent)
        except InputError:  # a run of another kind or of an older version: not what is looked for
            continue
        members = _usable(opened, run.recipe.patch) if opened.data == run.data else []
        if members:
            found.append(((opened.member_folder(members[0]) / MODEL).stat().st_mtime, opened, members[0]))
    return max(found, key=lambda one: one[0])[1:] if found else None


def features(networks: Mapping[str, Network], sample: Sample) -> dict[str, NDArray[np.float64]]:
    """What each network makes of the photographs' patches: float64 (photographs, patches, width) by network.

    Every photograph is decoded once. Raises `InputError` where one cannot be read or is too small for its patches.
    """
    made: dict[str, list[NDArray[np.floating]]] = {name: [] for name in networks}
    cut = prefetch(partial(_patches, sample), len(sample.names))
    with tqdm(total=len(sample.names), desc="embeddings", unit="photo") as bar:
        while chunk := list(islice(cut, BATCH)):
            pixels = np.concatenate(chunk)
            for start in range(0, len(pixels), BATCH):
                for name, network in networks.items():
                    made[name].append(network(pixels[start : start + BATCH]))
            bar.update(len(chunk))
    return {
        name: np.concatenate(parts).astype(np.float64).reshape(len(sample.names), -1, parts[0].shape[1])
        for name, parts in made.items()
    }


def _usable(run: Run, side: int) -> list[str]:
    if not run.task.camera:
        return []
    return [
        member
        for member, recipe in run.recipes.items()
        if recipe.input == "patch" and smallest_patch(member) <= side and (run.member_folder(member) / MODEL).is_file()
    ]


def _patches(sample: Sample, number: int) -> Pixels:
    path = sample.folder / str(sample.names[number])
    pixels = read_pixels(path)
    try:
        return sample.cut(pixels, number)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
