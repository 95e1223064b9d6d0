"""Camera settings through the front door: trained, scored, handed in, asked of strangers' photographs, and refused."""

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

APERTURES, ISOS, EXPOSURES = ((18, 10), (28, 10), (80, 10)), (100, 400, 3200), ((1, 1000), (1, 60), (1, 2))
COLUMNS = ["path", *(column for name in SETTINGS for column in (name, f"{name}_probability"))]
TRAIN = ("train", "mobilenet", "--preset", "smoke", "--front-end", "none", "--data", "photos", "--jobs", 1)
# Every head is shown independently on patches, and all at once on squashed photographs.
VARIANTS = {
    "independent": ("--output", "independent", "--input", "patch"),
    "correlated": ("--output", "correlated", "--input", "squash", "--label-balance", "cells"),
}


def photograph(path, number, settings=None, side=64):
    """A tiny photograph of noise that tells its settings, (f-number, ISO, exposure time), or none."""
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
    """A function that makes photographs in the working directory's `photos`, whose settings `settings(number)` says."""
    monkeypatch.chdir(tmp_path)

    def make(settings, side=64):
        for camera, number in product(("cat", "dog"), range(8)):
            photograph(Path("photos") / "train" / camera / f"{number}.jpg", number, settings(number), side)

    return make


def any_settings(number):
    """Those of different cells; one photograph tells nothing."""
    return None if number == 0 else (APERTURES[number % 3], ISOS[number // 3], EXPOSURES[number // 2 % 3])


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_network_answers_both_questions(variant, photos, command, capsys, tiny_mobilenet, untraced):
    photos(any_settings)
    words = (*TRAIN, "--task", "camera,settings", "--run", "both", *VARIANTS[variant])
    assert command(*words) == 0
    told = capsys.readouterr().out
    assert "warning: 2 of 12 train photos have no known iso: no label for them" in told
    assert "\nnote: the training photos occupy " in told and " of 27 cells of settings" in told
    assert all(name in told for name in ("balanced accuracy", "majority", "weighted accuracy", *SETTINGS))

    run = open_run(Path("runs/both"))
    assert run.task.output == variant
    targets = ["camera", *SETTINGS] + [JOINT_HEAD] * (variant == "correlated")
    heads = ["camera", *(SETTINGS if variant == "independent" else [JOINT_HEAD])]
    history = pd.read_csv("runs/both/members/mobilenet/history.csv")
    assert {f"val_{head}_loss" for head in heads} < set(history)
    files = {path.relative_to("runs/both").as_posix() for path in contents(Path("runs/both"))}
    assert files == {
        *("config.json", "environment.json", "manifest.csv", "validation.csv", "notes.txt"),
        *("scores.json", "leaderboard.csv", "settings_leaderboard.csv", "settings_submission.csv"),
        *("members/mobilenet/history.csv", "members/mobilenet/model.keras"),
        *(f"predictions/mobilenet/validation{'' if q == 'camera' else f'-{q}'}.npz" for q in targets),
    }
    for target in targets:
        predicted = load(run.predictions_file("mobilenet", "validation", target))
        assert predicted.probabilities.shape[1:] == (len(run.validation), len(predicted.classes))

    board = pd.read_csv("runs/both/settings_leaderboard.csv")
    assert board["setting"].tolist() == list(SETTINGS)
    validating = sorted(set(run.validation["path"]))
    handed_in = pd.read_csv("runs/both/settings_submission.csv")
    assert handed_in["fname"].tolist() == validating
    names = Targets(run.task, run.manifest).classes
    assert all(handed_in[name].isin(names[name]).all() for name in SETTINGS)

    before = contents(Path("runs"))
    times = {path: path.stat().st_mtime_ns for path in before if path.suffix in (".keras", ".npz")}
    assert command(*words) == 0
    assert contents(Path("runs")) == before
    assert {path: path.stat().st_mtime_ns for path in times} == times

    lost = run.predictions_file("mobilenet", "validation", targets[-1])
    lost.unlink()
    assert command("predict", "runs/both") == 0
    assert lost.exists()

    photograph(Path("more/stranger.jpg"), 99)
    assert command("predict", "runs/both", "more", "--out", "answers.csv") == 0
    table = pd.read_csv("answers.csv")
    assert list(table.columns) == ["path", "camera", "probability", "cat", "dog", *COLUMNS[1:]]
    assert all(
        table.loc[0, name] in names[name] and 1 / 3 < table.loc[0, f"{name}_probability"] <= 1 for name in SETTINGS
    )
    capsys.readouterr()
    assert command("leaderboard", "runs/both") == 0
    told = capsys.readouterr().out
    assert all(name in told for name in ("weighted accuracy", "balanced accuracy", *SETTINGS))


def no_settings(number):
    return None


def the_same_settings(number):
    return APERTURES[0], ISOS[0], EXPOSURES[0]


def no_iso(number):
    return APERTURES[number % 3], 0, EXPOSURES[number % 3]


def test_a_setting_without_labels_has_no_head_and_a_squashed_photograph_may_be_smaller_than_the_square(
    photos, command, capsys, tiny_mobilenet, untraced
):
    photos(no_iso, side=24)
    words = (*TRAIN, "--task", "settings", "--input", "squash", "--label-balance", "cells", "--run", "small")
    assert command(*words) == 0
    told = capsys.readouterr().out
    assert "warning: none of the 12 train photos has a known iso (EXIF iso): no head for it" in told
    assert "note: the training photos occupy 3 of 9 cells of settings" in told
    assert pd.read_csv("runs/small/settings_leaderboard.csv")["setting"].tolist() == ["aperture", "exposure_time"]
    handed_in = pd.read_csv("runs/small/settings_submission.csv")
    assert len(handed_in) == 4
    assert [*handed_in] == ["fname", "aperture", "aperture_probability", "exposure_time", "exposure_time_probability"]
    assert "val_iso_loss" not in pd.read_csv("runs/small/members/mobilenet/history.csv")
    assert command("predict", "runs/small", "photos/train/cat", "--out", "answers.csv") == 0
    assert "iso" not in pd.read_csv("answers.csv")


@pytest.mark.parametrize("task", ["settings", "camera,settings"])
@pytest.mark.parametrize(
    ("settings", "words", "told"),
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
def test_photographs_that_teach_no_settings(task, settings, words, told, photos, refused):
    photos(settings)
    assert told in refused(*TRAIN, "--task", task, *words)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--bins", "1"), "--bins: received '1', expected a whole number of at least 2"),
        (("--bins", "few"), "--bins: received 'few', expected a whole number of at least 2"),
        (("--tau", "-1"), "--tau: received '-1', expected a number of at least 0"),
        (("--tau", "nan"), "--tau: received 'nan', expected a number of at least 0"),
        (("--task", "camera,lens"), "unknown task 'camera,lens'; known: camera, settings, camera,settings"),
        (("--edges", "equal"), "unknown edges 'equal'; known: paper, quantile"),
        (("--output", "joint"), "unknown output 'joint'; known: independent, correlated"),
        (("--input", "circle"), "unknown input 'circle'; known: patch, squash"),
        (("--order", "iso"), "received the order iso; expected each of aperture, iso, exposure_time once"),
        (("--bins", "7", "--edges", "quantile"), "3 different values of aperture do not fill 7 bins; use fewer bins"),
    ],
)
def test_bad_words(words, told, photos, refused):
    photos(any_settings)
    assert told in refused(*TRAIN, *(("--task", "settings") * ("--task" not in words)), *words)


@pytest.mark.parametrize(
    "words",
    [
        ("--bins", 3),
        ("--edges", "paper"),
        ("--output", "independent"),
        ("--order", "aperture,iso,exposure_time"),
        ("--label-balance", "bins"),
        ("--tau", 0),
    ],
)
def test_what_is_of_settings_is_refused_where_cameras_alone_are_asked_for(words, photos, refused):
    """Even where it is the default: whoever gives it expects it to count."""
    told = f"error: {words[0]} is of settings: add --task settings, or leave it out"
    assert refused(*TRAIN, *words) == refused(*TRAIN, *words, "--task", "camera") == told


def stop(run, member):
    raise KeyboardInterrupt


@pytest.fixture
def begun(photos, command, monkeypatch, capsys):
    """A function that makes the folder of a run of that task, stopped before its training."""
    photos(any_settings)
    monkeypatch.setattr("submissions.members.train_member", stop)

    def begin(task, *words):
        assert command(*TRAIN, "--task", task, "--run", "begun", *words) == 130
        capsys.readouterr()

    return begin


def test_a_run_that_was_not_asked_for_cameras_hands_none_in(begun, refused):
    begun("settings")
    told = refused("submit", "runs/begun")
    assert "the run runs/begun was trained on aperture, iso, exposure_time, not on camera; train with another" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--bins", "5"), "task.bins 3 (now 5)"),
        (("--output", "correlated"), "task.output independent (now correlated)"),
        (("--photos", "9"), "photos None (now 9)"),
        (("--tau", "2"), "recipes.mobilenet.tau 0 (now 2.0)"),
    ],
)
def test_a_run_is_continued_with_the_same_settings_alone(words, told, begun, refused):
    begun("settings")
    assert told in refused(*TRAIN, "--task", "settings", "--run", "begun", *words)


def test_a_run_remembers_its_task(begun):
    begun("settings", "--bins", 2, "--output", "correlated", "--order", "iso,aperture,exposure_time")
    task = open_run(Path("runs/begun")).task
    order = ("iso", "aperture", "exposure_time")
    assert task == Task("settings", 2, output="correlated", order=order, label_balance=task.label_balance)
