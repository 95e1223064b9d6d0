"""Commands with camera settings: training, scores, submissions, predictions for new photos, and errors."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from competition.settings import SETTINGS
from submissions.prediction_cache import load
from submissions.run import open_run
from submissions.tasks import JOINT_HEAD, Targets, Task
from tests.commands.test_inspect import check_figures

APERTURES, ISOS, EXPOSURES = ((18, 10), (28, 10), (80, 10)), (100, 400, 3200), ((1, 1000), (1, 60), (1, 2))
COLUMNS = ["path", *(column for name in SETTINGS for column in (name, f"{name}_probability"))]
TRAIN = ("train", "mobilenet", "--preset", "smoke", "--front-end", "none", "--data", "photos", "--jobs", 1)
# Independent heads with patches, and one joint head with squashed photos.
VARIANTS = {
    "independent": ("--output", "independent", "--input", "patch"),
    "correlated": ("--output", "correlated", "--input", "squash", "--label-balance", "cells"),
}


def save_photo(path, number, settings=None, side=64):
    """Save a tiny photo of noise with the EXIF settings (f-number, ISO, exposure time), or without settings."""
    exif = Image.Exif()
    exif[0x0110] = "Model"
    if settings is not None:
        f_number, iso, exposure = settings
        exif[0x8769] = {0x829D: IFDRational(*f_number), 0x8827: iso, 0x829A: IFDRational(*exposure)}
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (side, side + 8, 3), np.uint8)
    Image.fromarray(pixels).save(path, exif=exif)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A function that makes photos with the settings `settings(number)` in the folder `photos`."""
    monkeypatch.chdir(tmp_path)

    def make(settings, side=64):
        for camera, number in product(("cat", "dog"), range(8)):
            save_photo(Path("photos") / "train" / camera / f"{number}.jpg", number, settings(number), side)

    return make


def any_settings(number):
    """Settings of different cells; photo 0 has none."""
    return None if number == 0 else (APERTURES[number % 3], ISOS[number // 3], EXPOSURES[number // 2 % 3])


def contents(folder):
    """The files of a folder, without the log, which grows, and the report, which is drawn again."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path: path.read_bytes() for path in files if path.name not in ("log.txt", "report.html")}


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_network_predicts_camera_and_settings(variant, photos, command, capsys, tiny_mobilenet, untraced):
    photos(any_settings)
    arguments = (*TRAIN, "--task", "camera,settings", "--run", "both", *VARIANTS[variant])
    assert command(*arguments) == 0
    output, warnings = capsys.readouterr()
    assert "warning: 2 of 12 train photos have no known iso: no label for them" in warnings
    assert "note: the training photos occupy " in output and " of 27 cells of settings" in output
    assert all(name in output for name in ("balanced accuracy", "majority", "weighted accuracy", *SETTINGS))

    run = open_run(Path("runs/both"))
    assert run.task.output == variant
    targets = ["camera", *SETTINGS] + [JOINT_HEAD] * (variant == "correlated")
    heads = ["camera", *(SETTINGS if variant == "independent" else [JOINT_HEAD])]
    history = pd.read_csv("runs/both/members/mobilenet/history.csv")
    assert {f"val_{head}_loss" for head in heads} < set(history)
    files = {path.relative_to("runs/both").as_posix() for path in contents(Path("runs/both"))}
    assert files == {
        *("config.json", "environment.json", "manifest.csv", "validation.csv", "notes.txt"),
        *("scores.json", "leaderboard.csv", "ablation.csv", "settings_leaderboard.csv", "settings_submission.csv"),
        *("calibration.csv", "activations.npz", "model_card.md"),
        *("members/mobilenet/history.csv", "members/mobilenet/model.keras"),
        *(f"predictions/mobilenet/validation{'' if q == 'camera' else f'-{q}'}.npz" for q in targets),
    }
    for target in targets:
        predicted = load(run.predictions_file("mobilenet", "validation", target))
        assert predicted.probabilities.shape[1:] == (len(run.validation), len(predicted.classes))

    board = pd.read_csv("runs/both/settings_leaderboard.csv")
    assert board["setting"].tolist() == [*SETTINGS, "mean"]
    validating = sorted(set(run.validation["path"]))
    submission = pd.read_csv("runs/both/settings_submission.csv")
    assert submission["fname"].tolist() == validating
    names = Targets(run.task, run.manifest).classes
    assert all(submission[name].isin(names[name]).all() for name in SETTINGS)

    before = contents(Path("runs"))
    times = {path: path.stat().st_mtime_ns for path in before if path.suffix in (".keras", ".npz")}
    assert command(*arguments) == 0
    assert contents(Path("runs")) == before
    assert {path: path.stat().st_mtime_ns for path in times} == times

    missing = run.predictions_file("mobilenet", "validation", targets[-1])
    missing.unlink()
    assert command("predict", "runs/both") == 0
    assert missing.exists()

    save_photo(Path("more/new.jpg"), 99)
    assert command("predict", "runs/both", "more", "--out", "answers.csv") == 0
    table = pd.read_csv("answers.csv")
    camera = ["camera", "probability", "runner_up", "runner_up_probability", "unknown", "unknown_score"]
    assert list(table.columns) == [
        "path", *camera, *COLUMNS[1:], "patches", "evidence", "cat", "dog", "skipped",
    ]  # fmt: skip
    assert all(
        table.loc[0, name] in names[name] and 1 / 3 < table.loc[0, f"{name}_probability"] <= 1 for name in SETTINGS
    )
    capsys.readouterr()
    assert command("leaderboard", "runs/both") == 0
    output = capsys.readouterr().out
    assert all(name in output for name in ("weighted accuracy", "balanced accuracy", *SETTINGS))

    assert command("inspect", "runs/both", "--out", "drawn") == 0
    figures = ("settings-space", *(f"confusion-{name}" for name in ("camera", *SETTINGS)))
    check_figures(Path("drawn"), figures)


def no_settings(number):
    return None


def the_same_settings(number):
    return APERTURES[0], ISOS[0], EXPOSURES[0]


def no_iso(number):
    return APERTURES[number % 3], 0, EXPOSURES[number % 3]


def test_setting_without_labels_has_no_head_and_squashed_photos_may_be_small(
    photos, command, capsys, tiny_mobilenet, untraced
):
    photos(no_iso, side=24)
    arguments = (*TRAIN, "--task", "settings", "--input", "squash", "--label-balance", "cells", "--run", "small")
    assert command(*arguments) == 0
    output, warnings = capsys.readouterr()
    assert "warning: none of the 12 train photos has a known iso (EXIF iso): no head for it" in warnings
    assert "note: the training photos occupy 3 of 9 cells of settings" in output
    scored = pd.read_csv("runs/small/settings_leaderboard.csv")["setting"]
    assert scored.tolist() == ["aperture", "exposure_time", "mean"]
    submission = pd.read_csv("runs/small/settings_submission.csv")
    assert len(submission) == 4
    assert [*submission] == ["fname", "aperture", "aperture_probability", "exposure_time", "exposure_time_probability"]
    assert "val_iso_loss" not in pd.read_csv("runs/small/members/mobilenet/history.csv")
    assert command("predict", "runs/small", "photos/train/cat", "--out", "answers.csv") == 0
    assert "iso" not in pd.read_csv("answers.csv")


@pytest.mark.parametrize("task", ["settings", "camera,settings"])
@pytest.mark.parametrize(
    ("settings", "arguments", "message"),
    [
        (no_settings, (), "none of the 12 train photos has a known aperture (EXIF f_number); add photos with EXIF"),
        (no_settings, ("--edges", "quantile"), "none of the 12 train photos has a known aperture (EXIF f_number)"),
        (
            no_iso,
            ("--output", "correlated"),
            "none of the 12 train photos has a known iso (EXIF iso); --output correlated needs all settings,",
        ),
        (the_same_settings, (), "all training photos lie in 1 of 27 cells of settings, so there is nothing to learn"),
        (the_same_settings, ("--edges", "quantile"), "1 different values of aperture do not fill 3 bins; use fewer"),
    ],
)
def test_photos_without_usable_settings_are_rejected(task, settings, arguments, message, photos, error_of):
    photos(settings)
    assert message in error_of(*TRAIN, "--task", task, *arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--bins", "1"), "--bins: received '1', expected a whole number of at least 2"),
        (("--bins", "few"), "--bins: received 'few', expected a whole number of at least 2"),
        (("--tau", "-1"), "--tau: received '-1', expected a number of at least 0"),
        (("--tau", "nan"), "--tau: received 'nan', expected a number of at least 0"),
        (("--task", "camera,lens"), "unknown task 'camera,lens'; known: camera, settings, camera,settings"),
        (("--edges", "equal"), "unknown edges 'equal'; known: paper, quantile"),
        (("--output", "joint"), "unknown output 'joint'; known: independent, correlated"),
        (("--input", "circle"), "unknown --input 'circle'; known: patch, squash, tiles"),
        (("--order", "iso"), "received the order iso; expected each of aperture, iso, exposure_time once"),
        (("--bins", "7", "--edges", "quantile"), "3 different values of aperture do not fill 7 bins; use fewer bins"),
    ],
)
def test_invalid_options_of_settings_are_rejected(arguments, message, photos, error_of):
    photos(any_settings)
    assert message in error_of(*TRAIN, *(("--task", "settings") * ("--task" not in arguments)), *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--bins", 3),
        ("--edges", "paper"),
        ("--output", "independent"),
        ("--order", "aperture,iso,exposure_time"),
        ("--label-balance", "bins"),
        ("--tau", 0),
    ],
)
def test_options_of_settings_are_rejected_for_the_camera_alone(arguments, photos, error_of):
    """Even default values: a user who gives them expects an effect."""
    message = f"error: {arguments[0]} only applies with --task settings or --task camera,settings; remove the option"
    assert error_of(*TRAIN, *arguments).startswith(message)
    assert error_of(*TRAIN, *arguments, "--task", "camera").startswith(message)


def stop(*arguments):
    raise KeyboardInterrupt


@pytest.fixture
def stopped_run(photos, command, monkeypatch, capsys):
    """A function that makes a run of a task, interrupted before its training."""
    photos(any_settings)
    monkeypatch.setattr("submissions.members.train_member", stop)

    def start(task, *arguments):
        assert command(*TRAIN, "--task", task, "--run", "begun", *arguments) == 130
        capsys.readouterr()

    return start


def test_run_without_the_camera_has_no_camera_submission(stopped_run, error_of):
    stopped_run("settings")
    message = error_of("submit", "runs/begun")
    assert (
        "the run runs/begun was trained on aperture, iso, exposure_time, not on camera; train with another" in message
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--bins", "5"), "task.bins 3 (now 5)"),
        (("--output", "correlated"), "task.output independent (now correlated)"),
        (("--photos", "9"), "photos None (now 9)"),
        (("--tau", "2"), "recipes.mobilenet.tau 0 (now 2.0)"),
    ],
)
def test_run_does_not_continue_with_another_task(arguments, message, stopped_run, error_of):
    stopped_run("settings")
    assert message in error_of(*TRAIN, "--task", "settings", "--run", "begun", *arguments)


def test_run_restores_its_task(stopped_run):
    stopped_run("settings", "--bins", 2, "--output", "correlated", "--order", "iso,aperture,exposure_time")
    task = open_run(Path("runs/begun")).task
    order = ("iso", "aperture", "exposure_time")
    assert task == Task("settings", 2, output="correlated", order=order, label_balance=task.label_balance)
