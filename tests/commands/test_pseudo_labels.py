"""`train --pseudo-labels`: test images that another run is sure of join training, and the leaderboard says so."""

import numpy as np
import pandas as pd
import pytest

from augment.loaders import TrainingPatches
from submissions import members
from submissions.blending import blend_members
from submissions.prediction_cache import load_members
from submissions.run import open_run

STUDENT = ["train", "dctnet", "--preset", "smoke", "--jobs", 1, "--pseudo-labels", "runs/job", "--data"]


@pytest.fixture
def probability(home):
    """A probability that the run `job` gives to some of its predictions only."""
    blended = blend_members(load_members(open_run(home / "runs" / "job"), "test"))
    return float(np.median(blended.max(axis=1)))


def test_test_images_of_which_the_run_is_sure_are_trained_on(home, command, probability, monkeypatch, untraced):
    made = []

    class Recorded(TrainingPatches):
        def __init__(self, table, *arguments, **options):
            made.append(table)
            super().__init__(table, *arguments, **options)

    monkeypatch.setattr(members, "TrainingPatches", Recorded)
    assert command(*STUDENT, "photos", "--confidence", probability, "--run", "student") == 0
    teacher, student = open_run(home / "runs" / "job"), open_run(home / "runs" / "student")
    assert (student.pseudo_labels, student.confidence) == (teacher.folder, probability)
    predictions = load_members(teacher, "test")
    blended = blend_members(predictions)
    names, certain = predictions["dctnet"].names, blended.max(axis=1) >= probability
    assert 0 < certain.sum() < len(names)
    labels = pd.read_csv(student.folder / "pseudo_labels.csv")
    assert labels["path"].tolist() == names[certain].tolist()
    assert labels["camera"].tolist() == np.array(teacher.cameras)[blended[certain].argmax(axis=1)].tolist()
    added = made[0][made[0]["split"] == "test"].set_index("path")["camera"]
    assert added.to_dict() == labels.set_index("path")["camera"].to_dict()
    assert (made[0]["split"] == "train").sum() == 18
    notes = pd.read_csv(student.folder / "leaderboard.csv")["note"]
    assert notes.str.contains(f"trained on {certain.sum()} test images, with the cameras that job predicts").all()


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ("others", (), "the run runs/job is on other data"),
        ("photos", ("--confidence", 1), "gives no test image a probability of 1.0 or more"),
        ("photos", ("--confidence", 2), "expected a number from 0 to 1"),
    ],
)
def test_unusable_pseudo_labels_are_one_line_of_error(home, photo_folder, error_of, data, options, message):
    photo_folder(home / "others", test=2)
    assert message in error_of(*STUDENT, data, *options)


def test_confidence_without_pseudo_labels_is_rejected(home, error_of):
    options = ["--preset", "smoke", "--data", "photos", "--confidence", 0.5]
    assert "--confidence only applies with --pseudo-labels" in error_of("train", "dctnet", *options)
