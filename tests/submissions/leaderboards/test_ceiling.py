"""The ceiling is predicted from what the simulator knows, which training never reads."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd

from competition.utils.atomic_files import write_csv
from competition.virtual.degradations import COLUMNS, SIMULATION
from submissions.leaderboards.ceiling import predict_ceiling
from submissions.run import start_run

ROOT = Path(__file__).parents[3]
READERS = {"competition/virtual/make_competition.py", "submissions/leaderboards/ceiling.py"}


def write_simulation(run, noise):
    manifest = run.manifest
    table = pd.DataFrame(0.0, range(len(manifest)), list(COLUMNS)).assign(path=manifest["path"], noise=noise(manifest))
    write_csv(table, run.data / SIMULATION)


def test_there_is_no_ceiling_without_a_simulation(make_run):
    run = make_run()
    assert predict_ceiling(run, {"validation": run.validation["path"].tolist()}) is None


def test_setting_that_a_degradation_shows_is_predicted_and_the_others_are_not(make_run, monkeypatch):
    monkeypatch.setattr("submissions.leaderboards.ceiling.LEAF", 1)  # of twelve training photos
    run = make_run()
    write_simulation(run, lambda manifest: np.log(manifest["iso"]))
    paths = run.validation["path"].tolist()
    found = predict_ceiling(run, {"validation": paths})
    assert found is not None
    labels = run.targets.labels(run.validation)
    for name, probabilities in found["validation"].items():
        assert probabilities.shape == (len(paths), 3)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        correct = (probabilities.argmax(axis=1) == labels[name]).mean()
        assert (correct == 1) == (name == "iso")


def test_only_the_simulator_and_the_ceiling_know_the_file():
    """Whoever reads the simulator's numbers must name the file, or import its name."""
    readers = set()
    for path in ROOT.rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        if name.split("/")[0] not in ("competition", "augment", "models", "submissions", "commands"):
            continue
        tree = ast.parse(path.read_text())
        imports = [alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
        texts = [
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        if "SIMULATION" in imports or (SIMULATION in texts and name != "competition/virtual/degradations.py"):
            readers.add(name)
    assert readers == READERS


def test_training_starts_although_the_file_cannot_be_read(make_run, settings_folder, tmp_path):
    from dataclasses import replace

    data = settings_folder(tmp_path / "photos")
    (data / SIMULATION).mkdir()  # reading it would fail
    made = make_run(members=("mobilenet",))
    run = replace(made, folder=tmp_path / "runs" / "new", data=data)
    start_run(run, 1)
    assert len(run.manifest) and run.targets.labels(run.manifest)
