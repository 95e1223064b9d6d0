"""Command `export`: files of a run that predict what the run predicts, and an example program that uses them."""

import contextlib
import io
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
from submissions.exports import export_run
from submissions.exports.export_run import run_networks
from submissions.prediction_cache import load_members
from submissions.run import open_run
from tests.commands.conftest import run_command

ROOT = Path(__file__).parents[2]
SMALL_PATCHES = 0.01
NETWORKS = ("dctnet", "mobilenet", "ensemble")


@pytest.fixture(scope="module")
def exported(copy_finished, tmp_path_factory):
    """A function that exports the run to a format, once, and returns what was printed. The working directory changes
    to that of the run. One of the 64 blocks of these small patches in another bin of a histogram changes a probability
    by 1e-3, so that the tolerance is larger."""
    home, printed = copy_finished(tmp_path_factory.mktemp("exported") / "home"), {}

    def export(name, monkeypatch):
        missing = [package for package in FORMATS[name].packages if find_spec(package) is None]
        if missing:
            pytest.skip(f"{', '.join(missing)} is not installed (requirements-export.txt has it)")
        monkeypatch.chdir(home)
        monkeypatch.setattr(checked, "TOLERANCE", SMALL_PATCHES)
        if name not in printed:
            if name != "saved-model":  # the slower formats get the ensemble only
                monkeypatch.setattr(export_run, "run_networks", lambda run: list(run_networks(run))[-1:])
            with contextlib.redirect_stdout(io.StringIO()) as output:
                assert run_command("export", "runs/job", "--format", name, "--json") == 0
            printed[name] = json.loads(output.getvalue())
        return printed[name]

    return export


@pytest.mark.parametrize("name", FORMATS)
def test_files_and_their_description(name, exported, monkeypatch):
    rows = exported(name, monkeypatch)
    folder = Path("runs/job/export") / name
    networks = NETWORKS if name == "saved-model" else NETWORKS[-1:]
    files = {f"{network}{FORMATS[name].suffix}" for network in networks}
    assert {path.name for path in folder.iterdir()} == {*files, "export.json"}
    description = json.loads((folder / "export.json").read_text())
    assert description["classes"] == {"camera": ["cat", "dog", "eel"]}
    assert set(description["files"]) == files
    assert all(file["max_difference_to_keras"] < SMALL_PATCHES for file in description["files"].values())
    sides = [description["files"][f"{network}{FORMATS[name].suffix}"]["side"] for network in networks]
    assert sides == [64, 32, 64][-len(networks) :]
    assert [row["path"] for row in rows] == [f"{folder}/{network}{FORMATS[name].suffix}" for network in networks]


def test_ensemble_predicts_the_blend_of_the_run(exported, monkeypatch):
    """From the test images with the example program's steps, against the cached predictions of the run."""
    exported("saved-model", monkeypatch)
    run = open_run(Path("runs/job"))
    predict = FORMATS["saved-model"].read(Path("runs/job/export/saved-model/ensemble"), 1)
    cached = load_members(run, "test")
    images = next(iter(cached.values()))
    patches = np.stack([np.asarray(Image.open(run.data / name)) for name in images.names])
    found = predict(patches, images.is_manipulated.astype(np.float32)[:, None])["camera"]
    np.testing.assert_allclose(found, blend_members(cached), atol=SMALL_PATCHES)


def test_example_needs_onnx_runtime_numpy_and_pillow_only(exported, tmp_path, monkeypatch):
    exported("onnx", monkeypatch)
    script = shutil.copy(ROOT / "examples" / "onnx_predict.py", tmp_path)
    words = [sys.executable, "-I", script, "runs/job/export/onnx/ensemble.onnx", "photos/train/dog/3.jpg"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    head, _, answers = done.stdout.partition(": ")
    assert head == "camera" and {answer.split()[0] for answer in answers.split(",")} == {"cat", "dog", "eel"}
    words[-1] = words[-1].replace("dog/3.jpg", "dog/none.jpg")
    assert subprocess.run(words, capture_output=True, check=False).returncode != 0


def test_wrong_calls_are_one_line_of_error(home, error_of, monkeypatch):
    assert "unknown format 'tflite'" in error_of("export", "runs/job", "--format", "tflite")
    assert "known: runs/job" in error_of("export", "runs/other", "--format", "saved-model")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert "needs the backend tensorflow" in error_of("export", "runs/job", "--format", "saved-model")
