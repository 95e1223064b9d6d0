from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from competition.manifest import COLUMNS, DTYPES, write_manifest
from competition.utils.atomic_files import write_csv
from models.presets import classifier_recipe
from submissions.prediction_cache import Predictions, save
from submissions.run import Run
from submissions.tasks import Task

VALUES = {"f_number": (1.8, 2.8, 8.0), "iso": (100.0, 400.0, 3200.0), "exposure_time": (0.001, 0.01, 0.5)}
PHOTOS = 12  # of validation, and of training
BINS = np.stack([np.arange(PHOTOS) % 3, np.arange(PHOTOS) // 3 % 3, np.arange(PHOTOS) // 4])


def manifest(test):
    rows = []
    for split in ("train", "validation"):
        for number, bins in enumerate(BINS.T):
            settings = {name: values[bin] for (name, values), bin in zip(VALUES.items(), bins, strict=True)}
            rows.append(
                {"path": f"train/a/{split}{number}.jpg", "camera": "ab"[number % 2], "split": split, **settings}
            )
    rows += [{"path": f"test/{number}_unalt.tif", "split": "test"} for number in range(test)]
    table = pd.DataFrame(rows).assign(width=64, height=64, manipulation="unaltered")
    return table.reindex(columns=list(COLUMNS)).astype(DTYPES)


def validation_images(table, manipulated):
    """The validation photos, unaltered and, if `manipulated`, also as JPEG of quality 70."""
    images = table.loc[table["split"] == "validation", ["path", "camera", "manipulation", "split"]]
    images = pd.concat([images, images.assign(manipulation="jpeg70")]) if manipulated else images
    return images.sort_values(["path", "manipulation"], ascending=[True, False], ignore_index=True)


def random_probabilities(truth, classes, views, seed):
    """Right more often than not: (views, images, classes)."""
    logits = np.random.default_rng(seed).normal(size=(views, len(truth), classes)) + 1.2 * np.eye(classes)[truth]
    values = np.exp(logits)
    return (values / values.sum(axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture
def make_run(tmp_path) -> Callable[..., Run]:
    """A function that makes a run with random predictions, as if it had been trained on two cameras.

    Arguments: the task (settings by default), the members, whether validation also has manipulated images, the number
    of test images, and whether the members use TTA. Each call makes another run.
    """

    def make(task=None, members=("mobilenet", "resnet50"), manipulated=False, test=0, use_tta=False) -> Run:
        folder = tmp_path / f"data{len(list(tmp_path.iterdir()))}"
        recipes = {member: classifier_recipe("smoke", member, "settings", front_end="none") for member in members}
        run = Run(folder / "runs" / "made", folder, recipes, 0, task or Task("settings"))
        table = manifest(test)
        write_manifest(table, run.folder / "manifest.csv")
        write_csv(validation_images(table, manipulated), run.folder / "validation.csv")
        (run.folder / "notes.txt").write_text("simulated photos\n")
        for member in members:
            for head, classes in run.targets.all_heads.items():
                for split, images in run.images.items():
                    truth = np.maximum(run.targets.labels(images)[head], 0)
                    values = random_probabilities(truth, len(classes), 8, seed=len(member) + len(head))
                    is_manipulated = (images["manipulation"] != "unaltered").to_numpy(bool)
                    names = images["path"].to_numpy(np.str_)
                    predictions = Predictions(names, is_manipulated, classes, values, use_tta)
                    save(predictions, run.predictions_file(member, split, head))
        return run

    return make
