"""The facade for notebooks: predictions, leaderboard and submission of a run, and models that plain Keras can load."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import camera_competition
from commands.__main__ import main
from competition.utils.errors import InputError

ROOT = Path(__file__).parents[1]
CAMERAS = ["cat", "dog", "eel"]


@pytest.fixture(scope="module")
def folder(photo_folder, tmp_path_factory):
    """A folder with `photos` and the finished run `runs/small` of two members with layers of this project."""
    home = tmp_path_factory.mktemp("facade")
    photo_folder(home / "photos", test=2)
    train = "train ensemble --members convnet,statnet --preset smoke --data photos --run small --jobs 1"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr("keras.Model.run_eagerly", property(lambda model: True, lambda model, value: None))
        assert main(train.split()) == 0
    return home


@pytest.fixture
def run(folder, monkeypatch, untraced):
    monkeypatch.chdir(folder)
    return camera_competition.load_run("runs/small")


def test_strings_and_paths_give_the_same_predictions(run):
    photos = ["photos/train/cat/0.jpg", "photos/train/dog/1.jpg"]
    table = run.predict(photos)
    assert {"path", "camera", "probability", *CAMERAS} <= set(table.columns)
    assert table["path"].tolist() == photos
    np.testing.assert_allclose(table[CAMERAS].sum(axis=1), 1, atol=1e-6)
    pd.testing.assert_frame_equal(run.predict([Path(photo) for photo in photos]), table)
    pd.testing.assert_frame_equal(run.predict(photos[0]), table.head(1), atol=1e-6)


def test_skipped_photos_give_a_warning(run, tmp_path):
    (tmp_path / "page.jpg").write_text("<html>")
    with pytest.warns(UserWarning, match=r"skipped 1 file\(s\): .*page\.jpg"):
        assert len(run.predict([tmp_path / "page.jpg", "photos/train/cat/0.jpg"])) == 1
    with pytest.raises(InputError, match="none of the 1 files is a usable photo"):
        run.predict(tmp_path)


def test_leaderboard_has_the_members_and_blends(run):
    assert {"convnet", "statnet", "blend quadratic"} <= set(run.leaderboard()["entry"])


def test_submission_is_balanced(run, tmp_path):
    table = run.submit(str(tmp_path / "submission.csv"), blend="geometric", balance="exact")
    assert (table.groupby(["camera", "is_manipulated"]).size() == 2).all()
    assert len(pd.read_csv(tmp_path / "submission.csv")) == len(table) == 12


def test_unknown_run_is_an_error(tmp_path):
    with pytest.raises(InputError, match="unknown run"):
        camera_competition.load_run(tmp_path / "absent")


def test_keras_loads_the_models_in_a_new_process(folder):
    code = (
        "import camera_competition, keras\n"
        "for member in ('convnet', 'statnet'):\n"
        "    model = keras.saving.load_model(f'runs/small/members/{member}/model.keras')\n"
        "    print(*sorted(model.input))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == 2 * "is_manipulated patch\n", done.stderr
