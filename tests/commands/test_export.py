"""Command `export`: files of a run that predict what the run predicts, and an example program that uses them."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.export import checked
from models.export.formats import FORMATS
from submissions.blending import blend_members
from submissions.prediction_cache import load_members
from submissions.run import open_run

ROOT = Path(__file__).parents[2]
SMALL_PATCHES = 0.01
NETWORKS = ("dctnet", "mobilenet", "ensemble")


@pytest.fixture(autouse=True)
def tolerance(monkeypatch):
    """One of the 64 blocks of these small patches in another bin of a histogram changes a probability by 1e-3."""
    monkeypatch.setattr(checked, "TOLERANCE", SMALL_PATCHES)


def skip_without(name):
    missing = [package for package in FORMATS[name].packages if find_spec(package) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed (requirements-export.txt has it)")


@pytest.mark.parametrize("name", FORMATS)
def test_files_and_their_description(name, home, command, capsys):
    skip_without(name)
    assert command("export", "runs/job", "--format", name) == 0
    folder = Path("runs/job/export") / name
    files = {f"{network}{FORMATS[name].suffix}" for network in NETWORKS}
    assert {path.name for path in folder.iterdir()} == {*files, "export.json"}
    description = json.loads((folder / "export.json").read_text())
    assert description["classes"] == {"camera": ["cat", "dog", "eel"]}
    assert set(description["files"]) == files
    assert all(file["max_difference_to_keras"] < SMALL_PATCHES for file in description["files"].values())
    sides = [description["files"][f"{network}{FORMATS[name].suffix}"]["side"] for network in NETWORKS]
    assert sides == [64, 32, 64]
    assert "ensemble" in capsys.readouterr().out


def test_ensemble_predicts_the_blend_of_the_run(home, command, capsys):
    """From the test images with the example program's steps, against the cached predictions of the run."""
    assert command("export", "runs/job", "--format", "saved-model", "--out", "out", "--json") == 0
    assert [row["path"] for row in json.loads(capsys.readouterr().out)] == [f"out/{name}" for name in NETWORKS]
    run = open_run(Path("runs/job"))
    predict = FORMATS["saved-model"].read(Path("out/ensemble"), 1)
    cached = load_members(run, "test")
    images = next(iter(cached.values()))
    patches = np.stack([np.asarray(Image.open(run.data / name)) for name in images.names])
    found = predict(patches, images.is_manipulated.astype(np.float32)[:, None])["camera"]
    np.testing.assert_allclose(found, blend_members(cached), atol=SMALL_PATCHES)


def test_example_needs_onnx_runtime_numpy_and_pillow_only(home, command):
    skip_without("onnx")
    assert command("export", "runs/job", "--format", "onnx") == 0
    script = shutil.copy(ROOT / "examples" / "onnx_predict.py", home)
    words = [sys.executable, "-I", script, "runs/job/export/onnx/ensemble.onnx", "photos/train/dog/3.jpg"]
    done = subprocess.run(words, cwd=home, capture_output=True, text=True, check=True)
    head, _, answers = done.stdout.partition(": ")
    assert head == "camera" and {answer.split()[0] for answer in answers.split(",")} == {"cat", "dog", "eel"}
    words[-1] = words[-1].replace("dog/3.jpg", "dog/none.jpg")
    assert subprocess.run(words, cwd=home, capture_output=True, check=False).returncode != 0


def test_wrong_calls_are_one_line_of_error(home, error_of, monkeypatch):
    assert "unknown format 'tflite'" in error_of("export", "runs/job", "--format", "tflite")
    assert "known: runs/job" in error_of("export", "runs/other", "--format", "saved-model")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert "needs the backend tensorflow" in error_of("export", "runs/job", "--format", "saved-model")
