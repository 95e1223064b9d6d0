"""The experiment `open-set` on tiny photos: files, numbers and errors."""

import numpy as np
import pandas as pd
import pytest

from commands.__main__ import main
from competition.utils.errors import InputError
from models.saved import MODEL
from submissions.confidence.unknown_scores import SCORES
from submissions.experiments.open_set import COLUMNS, MEAN, format_open_set, run_open_set

CAMERAS = ["cat", "dog", "eel"]


@pytest.fixture
def few_images(monkeypatch):
    """Lower the number of validation images that a threshold needs: the tiny folder has four."""
    monkeypatch.setattr("submissions.experiments.open_set.MIN_IMAGES", 4)
    monkeypatch.setattr("submissions.confidence.unknown.REJECTED", 0.2)
    monkeypatch.setattr("submissions.confidence.unknown.find_threshold", lambda scores: float(np.sort(scores)[-1]))


@pytest.mark.parametrize("test", [0, 2])
def test_every_camera_is_left_out_once(test, few_images, untraced, photo_folder, tmp_path):
    photos = photo_folder(tmp_path / "photos", test=test)
    folder = tmp_path / "results"
    table = run_open_set(photos, folder, "smoke", None, 1)
    assert list(table.columns) == COLUMNS
    assert table["score"].tolist() == [name for name in SCORES for _ in range(4)]
    assert table["camera"].tolist() == [*CAMERAS, MEAN] * len(SCORES)
    shares = table[["auroc", "false_acceptance", "false_rejection"]].to_numpy()
    assert ((shares >= 0) & (shares <= 1)).all()
    of_cameras = table[table["camera"] != MEAN]
    # With a solution: the test images of each camera. Without: seven photos of the camera that is left out, and one
    # validation photo of each other camera; each is unaltered and manipulated.
    assert set(of_cameras["unknown"]) == {4 if test else 14}
    assert set(of_cameras["known"]) == {8 if test else 4}
    assert table.iloc[3]["auroc"] == pytest.approx(table["auroc"][:3].mean())
    pd.testing.assert_frame_equal(pd.read_csv(folder / "results.csv"), table, check_dtype=False)
    text = format_open_set(table)
    assert all(name in text for name in (*CAMERAS, *SCORES, "false acceptance"))
    assert {path.parent.name for path in folder.rglob(MODEL)} == {f"without-{camera}" for camera in CAMERAS}


def test_a_camera_that_is_left_out_is_not_trained_on(few_images, untraced, photo_folder, tmp_path, monkeypatch):
    seen = []

    def stop(member, recipe, training, validation, heads, folder, seed):
        seen.append((len(training.rows), len(validation.rows), heads, set(training[0][1]["camera"].tolist())))
        raise KeyboardInterrupt

    monkeypatch.setattr("submissions.experiments.open_set.train", stop)
    with pytest.raises(KeyboardInterrupt):
        run_open_set(photo_folder(tmp_path / "photos"), tmp_path / "results", "smoke", None, 1)
    training, validation, heads, labels = seen[0]
    assert heads == {"camera": 2} and labels <= {0, 1}
    assert validation == 4 and 8 <= training <= 12  # of 18 photos in two whole batches


def test_too_few_validation_images_are_an_error(untraced, photo_folder, tmp_path):
    with pytest.raises(InputError, match="without cat there are 4 validation images, expected at least 19"):
        run_open_set(photo_folder(tmp_path / "photos"), tmp_path / "results", "smoke", None, 1)


@pytest.mark.parametrize("option", ["--member", "--seeds"])
def test_options_without_effect_are_errors(option, capsys):
    assert main(["experiment", "open-set", option, "2"]) == 2
    assert f"{option} does not apply to open-set" in capsys.readouterr().err
