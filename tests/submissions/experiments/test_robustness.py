"""Accuracy on altered images, with networks whose answers are known."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from competition.utils.errors import InputError
from models.presets import classifier_recipe
from submissions.experiments import robustness
from submissions.experiments.alterations import ALTERATIONS
from submissions.experiments.robustness import CASES, COLUMNS, ORIGINAL, format_robustness, measure_robustness
from submissions.tasks import Task

GRAY = {"a": 60, "b": 160}
LIMITS = {"made": 1.5, "other": 100}


class Network:
    """Recognizes a camera by the mean gray level, and is wrong for patches whose noise is above a limit."""

    def __init__(self, limit):
        self.limit, self.flags = limit, set()

    def predict_on_batch(self, inputs):
        patches = inputs["patch"].astype(float)
        self.flags.update(inputs["is_manipulated"].ravel().tolist())
        wrong = patches.std(axis=(1, 2, 3)) > self.limit
        labels = (patches.mean(axis=(1, 2, 3)) > 110) ^ wrong
        return {"camera": np.eye(2, dtype=np.float32)[labels.astype(int)]}


@pytest.fixture
def runs(make_run, monkeypatch):
    """Two runs on flat photos. The second one's network is never wrong."""
    run = make_run(Task("camera"), test=4)
    run = replace(run, recipes={"dctnet": replace(classifier_recipe("smoke", "dctnet"), test_patch=64)})
    other = replace(run, folder=run.folder.with_name("other"))
    shutil.copytree(run.folder, other.folder)
    images = {row.path: row.camera for row in run.manifest.itertuples() if row.split == "validation"}
    images |= {f"test/{number}_unalt.tif": "ab"[number % 2] for number in range(4)}
    for path, camera in images.items():
        (run.data / path).parent.mkdir(parents=True, exist_ok=True)
        side = 64 if path.startswith("test") else 200
        Image.fromarray(np.full((side, side, 3), GRAY[camera], np.uint8)).save(run.data / path)
    solution = [(f"{number}_unalt.tif", "ab"[number % 2], "unaltered") for number in range(4)]
    pd.DataFrame(solution, columns=["fname", "camera", "manipulation"]).to_csv(run.data / "solution.csv", index=False)
    networks = {name: Network(limit) for name, limit in LIMITS.items()}
    monkeypatch.setattr(robustness, "load_model", lambda path: networks[path.parents[2].name])
    return [run, other], networks


def test_accuracy_and_paired_difference_of_every_case(runs):
    pair, networks = runs
    table, left_out = measure_robustness(pair, "validation")
    assert list(table.columns) == COLUMNS and not left_out
    assert len(table) == 2 * len(CASES) and set(table["images"]) == {12}
    first, second = (table[table["run"] == name].set_index(["alteration", "level"]) for name in LIMITS)
    noise = first.loc["noise"]
    assert noise["accuracy"].tolist() == [float(level < LIMITS["made"]) for level in noise.index]
    assert first.loc[ORIGINAL, "accuracy"].tolist() == [1.0] and (second["accuracy"] == 1).all()
    assert first["difference"].isna().all()
    differences = second.loc[("noise", 8), ["difference", "difference_low", "difference_high"]]
    assert differences.tolist() == [1.0, 1.0, 1.0]
    assert networks["made"].flags == {0.0, 1.0}
    text = format_robustness(table)
    assert "1.000 [1.000, 1.000]" in text and "difference" in text
    assert "difference" not in format_robustness(table[table["run"] == "made"])


def test_patches_are_as_large_as_the_altered_images_allow(runs):
    """The test images are as large as a patch, so a scaled one is smaller."""
    (run, _), _ = runs
    table, _ = measure_robustness([run], "test")
    sides = table.set_index(["alteration", "level"])["patch"]
    assert sides["scale", 0.5] == 32 and sides["scale", 2.0] == 64 and sides["jpeg", 60] == 64
    assert sides["shift", 1] == 48 and set(table["images"]) == {4}
    assert measure_robustness([run], "validation")[0].query("alteration == 'scale'")["patch"].tolist() == [64] * 8


def test_cases_that_need_smaller_patches_than_a_backbone_takes_are_left_out(runs):
    (run, _), _ = runs
    fixed = replace(run, recipes={"mobilenet": run.recipes["dctnet"]})
    table, left_out = measure_robustness([fixed], "test")
    assert "scale 0.5" in left_out and "shift 1" in left_out and "scale 2" not in left_out
    assert len(table) + len(left_out) == len(CASES)


def test_runs_that_do_not_fit_are_refused(runs, make_run):
    (run, _), _ = runs
    with pytest.raises(InputError, match="expected runs of one --data folder"):
        measure_robustness([run, replace(run, data=run.folder)], "validation")
    with pytest.raises(InputError, match="predicts settings only"):
        measure_robustness([make_run(Task("settings"))], "validation")
    squashed = replace(run.recipes["dctnet"], patches=replace(run.recipes["dctnet"].patches, input="squash"))
    with pytest.raises(InputError, match="sees whole photos"):
        measure_robustness([replace(run, recipes={"dctnet": squashed})], "validation")
    (run.data / "solution.csv").unlink()
    with pytest.raises(InputError, match="use --split validation"):
        measure_robustness([run], "test")


def test_every_alteration_has_cases():
    assert {case.alteration for case in CASES} == {ORIGINAL, *ALTERATIONS}
