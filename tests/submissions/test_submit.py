"""Submissions follow from the cached predictions alone."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from competition.settings import SETTINGS
from competition.utils.errors import InputError
from submissions.balancing import assign_within
from submissions.blend_weights import METHODS, fit, stack_members
from submissions.blending import KINDS, blend_members, settings_entries
from submissions.prediction_cache import load_members
from submissions.submit import (
    CAMERA_SUBMISSION,
    SETTINGS_SUBMISSION,
    has_equal_quotas,
    submit_camera,
    submit_run,
    training_shares,
)
from submissions.tasks import Task


@pytest.fixture
def camera_run(make_run):
    """A run on cameras with six test images."""
    run = make_run(Task("camera"), test=6)
    names = "".join(f"{number}_unalt.tif,a\n" for number in range(6))
    (run.data / "sample_submission.csv").write_text(f"fname,camera\n{names}")
    return run


@pytest.mark.parametrize("kind", KINDS)
def test_camera_submission_has_the_most_probable_class_of_the_blend(camera_run, kind, tmp_path):
    table = submit_camera(camera_run, tmp_path / "made.csv", kind)
    blended = blend_members(load_members(camera_run, "test"), kind)
    assert table["fname"].tolist() == [f"{number}_unalt.tif" for number in range(6)]
    assert table["camera"].tolist() == np.array(["a", "b"])[blended.argmax(axis=1)].tolist()
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "made.csv"), table[["fname", "camera"]])


def test_linked_test_images_get_the_same_camera(camera_run, tmp_path):
    table = submit_camera(camera_run, tmp_path / "made.csv", links=np.ones((6, 6), bool))
    assert len(set(table["camera"])) == 1


@pytest.mark.parametrize(("quota", "counts"), [(None, [3, 3]), (3, [3, 3])])
def test_balanced_submission_keeps_the_quotas(camera_run, quota, counts, tmp_path):
    run = camera_run
    # All test images are unaltered: a quota applies to the unaltered and to the manipulated images separately.
    table = submit_camera(run, tmp_path / "made.csv", method="exact", quota=quota)
    assert table["camera"].value_counts().sort_index().tolist() == counts


@pytest.mark.parametrize("method", ["greedy", "exact"])
def test_balanced_submission_keeps_the_quotas_of_the_data_folder(camera_run, method, tmp_path):
    (camera_run.data / "quotas.csv").write_text("camera,unaltered,manipulated\na,5,0\nb,1,0\n")
    table = submit_camera(camera_run, tmp_path / "made.csv", method=method)
    assert table["camera"].value_counts().to_dict() == {"a": 5, "b": 1}
    (camera_run.data / "quotas.csv").write_text("camera,unaltered,manipulated\na,5,0\nb,2,0\n")
    with pytest.raises(InputError, match="add up to 7, but the test set has 6"):
        submit_camera(camera_run, tmp_path / "other.csv", method=method)
    submit_camera(camera_run, tmp_path / "other.csv", method=method, quota=3)  # takes precedence


def test_soft_and_prior_need_no_quotas(make_run, tmp_path):
    run = make_run(Task("camera"), test=5)
    (run.data / "sample_submission.csv").write_text("fname\n" + "".join(f"{n}_unalt.tif\n" for n in range(5)))
    members = load_members(run, "test")
    flags = next(iter(members.values())).is_manipulated
    for method in ("soft", "prior"):
        table = submit_camera(run, tmp_path / f"{method}.csv", method=method)
        expected = assign_within(blend_members(members), flags, None, method)
        assert table["camera"].tolist() == np.array(["a", "b"])[expected].tolist()
    with pytest.raises(InputError, match="5 images cannot be shared equally among 2 classes; choose balancing none, "):
        submit_camera(run, tmp_path / "exact.csv", method="exact")


def test_training_shares_are_those_of_the_photos_or_equal_where_the_loss_weights_cameras(make_run):
    run = make_run(Task("camera"))
    path = run.folder / "manifest.csv"
    table = pd.read_csv(path)
    table.drop(table.index[(table["split"] == "train") & (table["camera"] == "b")][:4]).to_csv(path, index=False)
    np.testing.assert_allclose(training_shares(run), [0.75, 0.25])
    first, second = run.recipes
    run.recipes[first] = replace(run.recipes[first], balance_cameras=True)
    np.testing.assert_allclose(training_shares(run), [0.625, 0.375])
    run.recipes[second] = replace(run.recipes[second], balance_cameras=True)
    np.testing.assert_allclose(training_shares(run), [0.5, 0.5])


def test_prior_needs_training_photos_of_every_camera(camera_run, tmp_path):
    path = camera_run.folder / "manifest.csv"
    table = pd.read_csv(path)
    table[(table["split"] != "train") | (table["camera"] == "a")].to_csv(path, index=False)
    with pytest.raises(InputError, match="has none by b; choose another balancing"):
        submit_camera(camera_run, tmp_path / "made.csv", method="prior")


@pytest.mark.parametrize(("rows", "equal"), [("a,3,0\nb,3,0\n", True), ("a,2,0\nb,4,0\n", False)])
def test_equal_quotas_are_what_the_data_folder_says(camera_run, rows, equal):
    assert not has_equal_quotas(camera_run)
    (camera_run.data / "quotas.csv").write_text(f"camera,unaltered,manipulated\n{rows}")
    assert has_equal_quotas(camera_run) == equal


def test_camera_submission_needs_test_predictions(camera_run, make_run, tmp_path):
    for member in camera_run.recipes:
        camera_run.predictions_file(member, "test").unlink()
    with pytest.raises(InputError, match="has no predictions for the test set; run predict first"):
        submit_camera(camera_run, tmp_path / "made.csv")
    with pytest.raises(InputError, match="has no test folder, so there is nothing to submit"):
        submit_camera(make_run(Task("camera")), tmp_path / "made.csv")


@pytest.mark.parametrize(
    ("task", "test", "written"),
    [
        ("camera", 0, []),
        ("camera", 6, [CAMERA_SUBMISSION]),
        ("settings", 6, [SETTINGS_SUBMISSION]),
        ("camera,settings", 6, [CAMERA_SUBMISSION, SETTINGS_SUBMISSION]),
    ],
)
def test_submit_run_writes_what_task_and_data_allow(make_run, task, test, written):
    run = make_run(Task(task), test=test)
    (run.data / "test").mkdir()
    for number in range(test):
        (run.data / "test" / f"{number}_unalt.tif").touch()
    assert submit_run(run) == [run.folder / name for name in written]
    assert all((run.folder / name).is_file() for name in written)


@pytest.mark.parametrize("manipulated", [False, True])
def test_settings_submission_has_every_unaltered_validation_photo(make_run, manipulated):
    run = make_run(manipulated=manipulated)
    submit_run(run)
    table = pd.read_csv(run.folder / SETTINGS_SUBMISSION)
    columns = ["fname", *(column for name in SETTINGS for column in (name, f"{name}_probability"))]
    assert list(table.columns) == columns
    unaltered = (run.validation["manipulation"] == "unaltered").to_numpy()
    assert table["fname"].tolist() == run.validation.loc[unaltered, "path"].tolist()
    blended = settings_entries(run, "validation")["blend quadratic"]
    for name in SETTINGS:
        probabilities = blended[name][unaltered]
        assert table[name].tolist() == [run.targets.classes[name][bin] for bin in probabilities.argmax(axis=1)]
        np.testing.assert_allclose(table[f"{name}_probability"], probabilities.max(axis=1))


def test_settings_submission_has_the_test_images_if_there_are_any(make_run):
    run = make_run(test=5)
    submit_run(run)
    names = pd.read_csv(run.folder / SETTINGS_SUBMISSION)["fname"].tolist()
    assert names == [f"{number}_unalt.tif" for number in range(5)]


@pytest.mark.parametrize("kind", METHODS)
def test_fitted_blend_is_fitted_to_the_validation_images(camera_run, kind, tmp_path):
    table = submit_camera(camera_run, tmp_path / "made.csv", kind)
    members, validation = (stack_members(load_members(camera_run, split)) for split in ("test", "validation"))
    truth = camera_run.validation["camera"].map({"a": 0, "b": 1}).to_numpy()
    blended = fit(kind, validation, truth, np.zeros(len(truth), bool))(members, np.zeros(6, bool))
    assert table["camera"].tolist() == np.array(["a", "b"])[blended.argmax(axis=1)].tolist()


def test_members_of_several_runs_are_blended(camera_run, tmp_path):
    copied = replace(camera_run, folder=camera_run.folder.with_name("copied"))
    shutil.copytree(camera_run.folder, copied.folder)
    alone = submit_camera(camera_run, tmp_path / "alone.csv")
    together = submit_camera(camera_run, tmp_path / "together.csv", others=[copied])
    pd.testing.assert_frame_equal(alone, together)  # equal members twice
    with pytest.raises(InputError, match="a run is named twice"):
        submit_camera(camera_run, tmp_path / "none.csv", others=[camera_run])
    (copied.folder / "validation.csv").write_text("path,camera,manipulation,split\n")
    with pytest.raises(InputError, match=r"have other validation images or folds, .*; choose runs with the same"):
        submit_camera(camera_run, tmp_path / "none.csv", others=[copied])
    assert not (tmp_path / "none.csv").exists()


def test_a_fitted_blend_of_one_member_is_rejected(make_run, tmp_path):
    run = make_run(Task("camera"), members=("mobilenet",), test=6)
    with pytest.raises(InputError, match="--blend optimized needs at least 2 members, received 1"):
        submit_camera(run, tmp_path / "none.csv", "optimized")
