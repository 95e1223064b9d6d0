"""`train --folds`: every photo is predicted by networks that were not trained on it."""

import contextlib
import io
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from submissions import members
from submissions.blending import average_views, blend
from submissions.prediction_cache import load
from submissions.run import BAG, open_run
from tests.commands.conftest import run_command

FOLDS = 3
FOLDED = ["train", "dctnet", "--folds", FOLDS, "--preset", "smoke", "--data", "photos", "--jobs", 1, "--run"]


@pytest.fixture(scope="module")
def photos(photo_folder, tmp_path_factory):
    return photo_folder(tmp_path_factory.mktemp("folds") / "photos", test=2)


@pytest.fixture
def home(photos, tmp_path, monkeypatch, untraced):
    """A working directory with `photos`."""
    (tmp_path / "photos").symlink_to(photos, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def folded(photos, tmp_path_factory, train_untraced):
    """The folder of a finished run of `FOLDED`, and what it printed. Tests must not change it."""
    home = tmp_path_factory.mktemp("folded")
    (home / "photos").symlink_to(photos, target_is_directory=True)
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.chdir(home)
        train_untraced(patch)
        assert run_command(*FOLDED, "job") == 0
    return home / "runs" / "job", printed.getvalue()


def predictions(run, split="validation"):
    return {name: load(run.predictions_file(name, split)) for name in run.entries}


def assert_same_predictions(one, other, atol=1e-5):
    for split in ("validation", "test"):
        found, expected = (predictions(open_run(folder), split)["dctnet"].probabilities for folder in (one, other))
        np.testing.assert_allclose(found, expected, atol=atol)


def test_photos_are_predicted_out_of_fold_and_test_images_by_the_mean_of_all_folds(folded):
    folder, printed = folded
    run = open_run(folder)
    validation = run.validation
    assert len(validation) == 2 * 21
    assert set(validation["fold"]) == {"0", "1", "2"}
    whole = predictions(run)["dctnet"]
    for part in run.parts:
        manifest = part.manifest
        left_out = set(manifest.loc[manifest["split"] == "validation", "path"])
        assert left_out == set(validation.loc[validation["fold"] == str(part.fold), "path"])
        assert left_out.isdisjoint(manifest.loc[manifest["split"] == "train", "path"])
        rows = validation["fold"] == str(part.fold)
        expected = predictions(part)["dctnet"].probabilities
        np.testing.assert_array_equal(whole.probabilities[:, rows], expected)
    parts = [predictions(part, "test")["dctnet"].probabilities for part in run.parts]
    assert np.ptp(parts, axis=0).max() > 0
    mean = predictions(run, "test")["dctnet"].probabilities
    np.testing.assert_allclose(mean, np.mean(parts, axis=0), atol=1e-6)
    table = pd.read_csv(run.folder / "leaderboard.csv")
    assert (table["images"] == 42).all()
    assert table["note"].str.contains(r"out of fold: .* \(3 folds\)").all()
    assert not list(run.folder.rglob("*features.npy"))
    assert "21 train, 12 test images" in printed


def test_a_run_with_folds_that_was_stopped_goes_on(folded, home, command, monkeypatch):
    train, trained = members.train, list[object]()

    def stop_at_the_second(*arguments, **options):
        if len(trained) == 1:
            raise KeyboardInterrupt
        trained.append(arguments)
        return train(*arguments, **options)

    monkeypatch.setattr(members, "train", stop_at_the_second)
    assert command(*FOLDED, "stopped") == 130
    run = open_run(home / "runs" / "stopped")
    finished = run.parts[0].member_folder("dctnet") / "model.keras"
    assert finished.exists()
    before = finished.stat().st_mtime_ns
    monkeypatch.setattr(members, "train", train)
    (finished.parent / "progress.json").touch()  # a killed process leaves it behind
    assert command(*FOLDED, "stopped") == 0
    assert not list(run.folder.rglob("progress.json"))
    assert finished.stat().st_mtime_ns == before
    assert_same_predictions(run.folder, folded[0])


def test_each_member_leaves_out_its_own_fold(home, command):
    ensemble = ["--members", "dctnet,convnet", "--fold-of-member", "--preset", "smoke", "--data", "photos"]
    assert command("train", "ensemble", *ensemble, "--jobs", 1, "--run", "bag") == 0
    run = open_run(home / "runs" / "bag")
    assert [part.members for part in run.parts] == [["dctnet"], ["convnet"]]
    bag = predictions(run)[BAG]
    for part, member in zip(run.parts, ("dctnet", "convnet"), strict=True):
        rows = (run.validation["fold"] == str(part.fold)).to_numpy()
        np.testing.assert_allclose(bag.probabilities[0, rows], average_views(predictions(part)[member]), atol=1e-6)
    views = [average_views(next(iter(predictions(part, "test").values()))) for part in run.parts]
    np.testing.assert_allclose(predictions(run, "test")[BAG].probabilities[0], blend(views), atol=1e-6)
    assert pd.read_csv(run.folder / "leaderboard.csv")["entry"].tolist()[0] == BAG


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("dctnet", "--folds", "8"), "8 folds need 8 groups of photos .* but cat has 7; choose fewer folds"),
        (("statnet", "--task", "settings", "--folds", "2"), "--folds only applies with --task camera"),
        (("dctnet", "--fold-of-member"), "--fold-of-member needs at least 2 members, received 1; use --folds instead"),
        (("ensemble", "--fold-of-member", "--folds", "4"), "--folds does not apply with --fold-of-member"),
    ],
)
def test_folds_that_are_not_possible_are_one_line_of_error(home, error_of, arguments, message):
    assert re.search(message, error_of("train", *arguments, "--preset", "smoke", "--data", "photos", "--jobs", 1))


def test_a_finished_run_with_other_folds_is_not_continued(folded, home, command, capsys):
    shutil.copytree(folded[0], home / "runs" / "job", ignore=shutil.ignore_patterns("folds"))
    others = [2 if argument == FOLDS else argument for argument in FOLDED]
    assert command(*others, "job") == 2
    assert "made with other settings: folds 3 (now 2)" in capsys.readouterr().err


@pytest.mark.slow
def test_two_workers_of_a_cluster_give_the_predictions_of_none(folded, home, command):
    pytest.importorskip("distributed", reason="Dask is not installed (requirements-cluster.txt)")
    assert command(*FOLDED, "cluster", "--cluster", "local:2") == 0
    run = home / "runs" / "cluster"
    assert_same_predictions(run, folded[0], atol=1e-3)  # the workers compile their graphs
    assert (run / "folds" / "0" / "members" / "dctnet" / "log.txt").exists()
    assert not list(run.rglob("progress.json"))
