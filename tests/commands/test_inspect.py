"""`./run.sh inspect`: a run in pictures, whatever it was asked."""

from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from submissions.reports import inspect_run as inspecting
from submissions.reports.inspect_run import Answered, best_and_worst

ALWAYS = ("best-worst", "contact-sheet", "reliability")


def drawn(names):
    return sorted(f"{name}{suffix}" for name in names for suffix in (".png", ".svg"))


def check_files(folder, names):
    """Exactly these pictures, all of which open."""
    assert sorted(path.name for path in folder.iterdir()) == drawn(names)
    for path in folder.glob("*.png"):
        with Image.open(path) as image:
            image.load()
    for path in folder.glob("*.svg"):
        ElementTree.parse(path)


def test_a_run_that_was_asked_for_cameras_alone(home, command, capsys):
    assert command("inspect", "runs/job") == 0
    names = (*ALWAYS, "confusion-camera")
    check_files(home / "runs" / "job" / "figures", names)
    told = capsys.readouterr().out.split()
    assert sorted(told) == [f"runs/job/figures/{name}" for name in drawn(names)]


def test_a_run_that_was_asked_for_both(settings_folder, command, tiny_mobilenet, untraced, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings_folder(tmp_path / "photos")
    words = ("--task", "camera,settings", "--output", "correlated", "--preset", "smoke", "--front-end", "none")
    words = (*words, "--weights", "none", "--data", "photos", "--run", "both", "--jobs", 1)
    assert command("train", "mobilenet", *words) == 0
    assert command("inspect", "runs/both", "--out", "drawn") == 0
    targets = ("camera", "aperture", "iso", "exposure_time")
    check_files(tmp_path / "drawn", (*ALWAYS, "settings-space", *(f"confusion-{name}" for name in targets)))


def test_a_run_without_predictions(home, command, capsys):
    for path in home.glob("runs/job/predictions/*/*.npz"):
        path.unlink()
    assert command("inspect", "runs/job") == 2
    assert capsys.readouterr().err == "error: the run runs/job has no predictions for its camera; run predict first\n"
    assert not (home / "runs" / "job" / "figures").exists()


def test_a_run_that_is_not_there(home, command, capsys):
    assert command("inspect", "runs/jobs") == 2
    assert capsys.readouterr().err == "error: unknown run 'runs/jobs'; known: runs/job\n"


def test_a_photograph_that_is_gone(home, command, capsys):
    for path in home.glob("photos/train/*/*.jpg"):
        path.unlink()
    assert command("inspect", "runs/job") == 2
    assert "does not exist" in capsys.readouterr().err
    assert not (home / "runs" / "job" / "figures").exists()


@pytest.mark.parametrize(
    ("time", "written"),
    [(0.02999874, "1/33 s"), (1 / 8000, "1/8000 s"), (0.25, "1/4 s"), (0.6, "0.6 s"), (30.0, "30 s"), (np.nan, None)],
)
def test_settings_are_written_as_on_a_camera(time, written):
    photograph = pd.Series({"f_number": 2.2, "exposure_time": time, "iso": 200.0})
    assert inspecting._settings(photograph).split("  ") == ["f/2.2", *([written] if written else []), "ISO 200"]


def answered(truth, *probabilities):
    predicted = np.array(probabilities)
    return Answered(("low", "high"), np.stack([predicted, 1 - predicted], axis=1), np.array(truth))


def test_the_best_and_the_worst_are_those_of_the_summed_log_loss():
    rng = np.random.default_rng(0)
    found = {name: answered(rng.integers(0, 2, 30), *rng.random(30)) for name in ("aperture", "iso")}
    loss = [-sum(np.log(one.probabilities[image, one.truth[image]]) for one in found.values()) for image in range(30)]
    images = np.arange(0, 30, 2)
    best, worst = best_and_worst(found, images)
    ranked = sorted(images, key=lambda image: loss[image])
    assert best.tolist() == ranked[:5]
    assert worst.tolist() == ranked[:-6:-1]


def test_what_is_unknown_is_neither_best_nor_worst():
    found = {"aperture": answered([0, -1, 0, 0], 0.9, 1.0, 0.5, 0.1), "iso": answered([0, 0, 0, -1], *[0.5] * 4)}
    best, worst = best_and_worst(found, np.arange(4))
    assert (best.tolist(), worst.tolist()) == ([0], [2])


def test_one_photograph_is_nothing_to_compare():
    from competition.utils.errors import InputError

    with pytest.raises(InputError, match="1 validation photograph"):
        best_and_worst({"aperture": answered([0, -1], 0.9, 0.1)}, np.arange(2))
