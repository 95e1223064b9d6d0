"""Saved members predict the same with TensorFlow and JAX, and a member trains with JAX."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from models.classifier import build
from models.presets import classifier_recipe
from models.recipe import change

ROOT = Path(__file__).parents[2]
HERE = keras.backend.backend()
OTHER = "tensorflow" if HERE == "jax" else "jax"
MEMBERS = ("dctnet", "convnet", "statnet", "mobilenet")
SIDE = 64
TOLERANCE = 1e-4
PREDICT = """
import sys
from pathlib import Path
import keras, numpy as np
from models.saved import load_model
assert keras.backend.backend() == sys.argv[1]
inputs = dict(np.load("inputs.npz"))
for member in sys.argv[2:]:
    np.savez(f"{member}.npz", **load_model(Path(f"{member}.keras")).predict(inputs, verbose=0))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec(OTHER) is None, reason=f"the package {OTHER} is not installed (requirements-jax.txt has jax)"
    ),
]


def run_python(folder, backend, *arguments):
    """Run Python in another process with a backend of Keras; returns its output."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-P", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def perturbed(member):
    """A member with the recipe `smoke` whose weights were changed at random, as by a training."""
    recipe = change(classifier_recipe("smoke", member), patch=SIDE, front_end_recipe=None)
    model, rng = build(member, recipe, {"camera": 5}), np.random.default_rng(0)
    model.set_weights(
        [weight + rng.normal(0, 0.02, weight.shape).astype(weight.dtype) for weight in model.get_weights()]
    )
    return model


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with saved members and their inputs, and the predictions of each member with both backends."""
    folder = tmp_path_factory.mktemp("models")
    patch = np.random.default_rng(0).integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)
    patch[3:] = np.cumsum(patch[3:] // 64, axis=1, dtype=np.uint8)  # smooth in one direction
    inputs = {"patch": patch, "is_manipulated": np.array([[0], [1]] * 3, np.float32)}
    np.savez(folder / "inputs.npz", **inputs)  # type: ignore[arg-type]
    here = {}
    for member in MEMBERS:
        model = perturbed(member)
        model.save(folder / f"{member}.keras")
        here[member] = np.asarray(model(inputs)["camera"])
    run_python(folder, OTHER, "-c", PREDICT, OTHER, *MEMBERS)
    return here, {member: np.load(folder / f"{member}.npz")["camera"] for member in MEMBERS}


@pytest.mark.parametrize("member", MEMBERS)
def test_reloaded_member_predicts_the_same_with_another_backend(member, models):
    here, other = (predictions[member] for predictions in models)
    assert np.ptp(here, axis=0).max() > 100 * TOLERANCE  # the predictions depend on the patch
    assert np.abs(here - other).max() <= TOLERANCE


@pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed (requirements-jax.txt)")
def test_a_member_trains_with_jax(photo_folder, tmp_path):
    photo_folder(tmp_path / "photos", test=2)
    options = ["--preset", "smoke", "--data", "photos", "--jobs", "1", "--run", "job"]
    output = run_python(tmp_path, "jax", "-m", "commands", "train", "dctnet", *options)
    assert "submission.csv (checked)" in output
    run = tmp_path / "runs" / "job"
    assert json.loads((run / "environment.json").read_text())["backend"] == "jax"
    assert np.isfinite(pd.read_csv(run / "members" / "dctnet" / "history.csv")["val_loss"]).all()
    assert pd.read_csv(run / "leaderboard.csv")["weighted_accuracy"].between(0, 1).all()
