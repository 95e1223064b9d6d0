"""Invalid input gives one line that says what is wrong and how to fix it, exit code 2, and no incomplete file."""

import errno
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from commands import __main__ as command_line
from commands.test import PARALLEL
from submissions.prediction_cache import load, save
from submissions.run_config import FORMAT_VERSION

TRAIN = ("train", "convnet", "--preset", "smoke", "--data", "photos", "--jobs", "1")


@pytest.fixture
def photos(photo_folder, tmp_path, monkeypatch):
    """Good photographs in the working directory's `photos`, for a test to damage."""
    monkeypatch.chdir(tmp_path)
    return photo_folder(tmp_path / "photos", test=2)


def empty(photos):
    shutil.rmtree(photos)
    photos.mkdir()


def no_photos(photos):
    shutil.rmtree(photos / "train")
    (photos / "train").mkdir()


def one_camera(photos):
    shutil.rmtree(photos / "train" / "cat")
    shutil.rmtree(photos / "train" / "dog")


def two_photos(photos):
    for number in range(2, 7):
        (photos / "train" / "dog" / f"{number}.jpg").unlink()


def nothing_readable(photos):
    for path in photos.glob("train/*/*.jpg"):
        path.write_bytes(path.read_bytes()[:500])


def image(mode):
    def damage(photos):
        pixels = np.full((96, 112), 7, np.uint16 if mode == "I;16" else np.uint8)
        suffix = {"CMYK": "jpg", "L": "jpg"}.get(mode, "png")
        made = Image.fromarray(pixels) if mode == "I;16" else Image.new(mode, (112, 96))
        made.save(photos / "train" / "cat" / f"odd.{suffix}")

    return damage


def too_small(photos):
    Image.new("RGB", (63, 90)).save(photos / "train" / "eel" / "small.png")


def small_test_patch(photos):
    Image.new("RGB", (63, 63)).save(photos / "test" / "img_00_unalt.tif")


def unnamed_test_patch(photos):
    (photos / "test" / "img_00_unalt.tif").rename(photos / "test" / "img_00.tif")


def same_name_twice(photos):
    shutil.copy(photos / "train" / "cat" / "0.jpg", photos / "train" / "cat" / "0.JPEG")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (shutil.rmtree, "the folder photos does not exist; expected train/<camera>/*.jpg in it"),
        (empty, "photos has no folder 'train'; expected photos/train/<camera>/*.jpg"),
        (no_photos, "photos/train holds no photos; expected photos/train/<camera>/*.jpg"),
        (one_camera, "readable photos of 1 camera(s), expected at least 2, each in a folder of its name"),
        (two_photos, "dog has 2; each camera needs at least 3, so add photos or remove the camera's folder"),
        (nothing_readable, "readable photos of 0 camera(s), expected at least 2"),
        (image("I;16"), "not 8-bit RGB: train/cat/odd.png (16-bit I;16); convert or remove 1 file(s)"),
        (image("L"), "not 8-bit RGB: train/cat/odd.jpg (8-bit L); convert or remove"),
        (image("CMYK"), "not 8-bit RGB: train/cat/odd.jpg (8-bit CMYK); convert or remove"),
        (image("RGBA"), "not 8-bit RGB: train/cat/odd.png (8-bit RGBA); convert or remove"),
        (
            too_small,
            "a patch of 64 pixels, the first is train/eel/small.png (63x90); remove them, or give a smaller --patch",
        ),
        (small_test_patch, "the first is test/img_00_unalt.tif (63x63); remove them, or give a smaller --patch"),
        (unnamed_test_patch, "photos/test/img_00.tif; they must end in _unalt or _manip before the suffix"),
        (same_name_twice, "photos/train/cat/0.JPEG, photos/train/cat/0.jpg; keep one of each"),
    ],
)
def test_unusable_photos_are_named_before_training(damage, message, photos, error_of):
    damage(photos)
    assert message in error_of(*TRAIN)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vgg16"], "unknown member 'vgg16'; known: resnet50, "),
        (["ensemble", "--members", "convnet,vgg16"], "unknown member 'vgg16'; known: "),
        (["convnet", "--members", "convnet"], "--members only applies to ensemble, received it with convnet"),
        (["convnet", "--preset", "fast"], "unknown preset 'fast'; known: full, paper, quick, smoke"),
        (["mobilenet", "--front-end", "fourier"], "unknown --front-end 'fourier'; known: none, "),
        (
            ["mobilenet", "--weights", "imagenet"],
            "ImageNet weights expect three channels: use --front-end none",
        ),
        (["mobilenet", "--weights", "mine.keras"], "the weights mine.keras do not exist"),
        (["mobilenet", "--patch", "31"], "mobilenet needs patches of at least 32 pixels, received 31"),
        (["convnet", "--patch", "200"], "are smaller than a patch of 200 pixels"),
        (["convnet", "--batch", "1000"], "do not fill a batch of 1000 patches; add some, or give a smaller --batch"),
        (["convnet", "--epochs", "0"], "--epochs: received '0', expected a whole number of at least 1"),
        (["convnet", "--epochs", "many"], "--epochs: received 'many', expected a whole number of at least 1"),
        (["convnet", "--seed", "-1"], "--seed: received '-1', expected a whole number of at least 0"),
        (["convnet", "--seed", "0.5"], "--seed: received '0.5', expected a whole number"),
        (["convnet", "--learning-rate", "nan"], "--learning-rate: received 'nan', expected a number above 0"),
        (["convnet", "--learning-rate", "inf"], "--learning-rate: received 'inf', expected a number above 0"),
        (["convnet", "--learning-rate", "0"], "--learning-rate: received '0', expected a number above 0"),
        (["convnet", "--jobs", "0"], "--jobs: received '0', expected a whole number of at least 1"),
        (["convnet", "--epoch", "1", "--moon", "1"], "unrecognized arguments: --moon 1"),
        ([], "the following arguments are required: MEMBER|ensemble"),
    ],
)
def test_invalid_options_of_train_are_rejected(arguments, message, photos, error_of):
    assert message in error_of(
        "train", *arguments, *(["--preset", "smoke"] * ("--preset" not in arguments)), *TRAIN[4:]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "unknown command 'trian'; known: train, predict, "),
        ([], "the following arguments are required: COMMAND"),
        (["virtual", "--size", "huge"], "unknown size 'huge'; known: smoke, small, "),
        (["virtual", "--seed", "-3"], "--seed: received '-3'"),
        (["leaderboard"], "no run in runs has a leaderboard.csv; train first"),
        (["leaderboard", "runs/absent"], "unknown run 'runs/absent'; known: "),
        (["submit", "runs/absent"], "unknown run 'runs/absent'; known: "),
        (["predict", "runs/absent", "photos"], "runs/absent is not a trained run; train one on photos"),
    ],
)
def test_invalid_commands_are_rejected(arguments, message, error_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in error_of(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quota", "5", "--balance", "exact"], "the quotas add up to 15, but there are 6 images; correct the quotas"),
        (["--quota", "0", "--balance", "exact"], "--quota: received '0', expected a whole number of at least 1"),
        (["--quota", "2"], "--quota only applies with --balance greedy, exact or soft; remove it"),
        (["--blend", "cubic"], "unknown blend 'cubic'; known: arithmetic, quadratic, geometric"),
        (["--balance", "fair"], "unknown balancing 'fair'; known: none, greedy, exact, soft, prior"),
        (
            ["--out", "photos/solution.csv/submission.csv"],
            "cannot be written, because photos/solution.csv is a file; give another path",
        ),
    ],
)
def test_invalid_options_of_submit_are_rejected(arguments, message, home, error_of):
    assert message in error_of("submit", "runs/job", *arguments)


def test_images_that_cannot_be_shared_equally_are_not_balanced(home, error_of):
    (home / "photos" / "test" / "img_00_unalt.tif").unlink()
    table = pd.read_csv(home / "photos" / "sample_submission.csv")
    table.drop(0).to_csv(home / "photos" / "sample_submission.csv", index=False)
    manifest = pd.read_csv(home / "runs" / "job" / "manifest.csv")
    manifest[manifest["path"] != "test/img_00_unalt.tif"].to_csv(home / "runs" / "job" / "manifest.csv", index=False)
    for path in home.glob("runs/job/predictions/*/test.npz"):
        predicted = load(path)
        kept = predicted.names != "test/img_00_unalt.tif"
        save(
            type(predicted)(
                predicted.names[kept],
                predicted.is_manipulated[kept],
                predicted.classes,
                predicted.probabilities[:, kept],
            ),
            path,
        )
    message = error_of("submit", "runs/job", "--balance", "exact")
    assert "5 images cannot be shared equally among 3 classes; choose balancing none, soft or prior" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seed", "1"], "seed 0 (now 1)"),
        (["--epochs", "2"], "recipes.dctnet.epochs 1 (now 2), recipes.mobilenet.epochs 1 (now 2)"),
        (["--members", "dctnet"], "recipes.mobilenet."),
    ],
)
def test_run_does_not_continue_with_other_options(arguments, message, home, main_job, error_of):
    error = error_of(*main_job, *arguments)
    assert message in error
    assert error.startswith("error: the run runs/job was made with other settings: ")
    assert error.endswith("; choose another --run NAME, or delete that folder")


def other_order(predicted):
    return {"names": predicted.names[::-1].copy()}


def other_images(predicted):
    return {"names": np.char.add(predicted.names, "x")}


def other_classes(predicted):
    return {"classes": ("ant", *predicted.classes[1:])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (other_order, "6 images in another order"),
        (other_images, "3 are missing and 3 are not expected, such as train/"),
        (other_classes, "the predictions are for the classes ant, dog, eel; expected cat, dog, eel"),
    ],
)
def test_predictions_for_other_images_or_classes_are_rejected(change, message, home, error_of):
    path = home / "runs" / "job" / "predictions" / "dctnet" / "validation.npz"
    predicted = load(path)
    parts = {
        name: getattr(predicted, name) for name in ("names", "is_manipulated", "classes", "probabilities", "use_tta")
    }
    save(type(predicted)(**parts | change(predicted)), path)
    error = error_of("leaderboard", "runs/job")
    assert message in error
    assert error.endswith("delete the file and run predict again")


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("members/dctnet/model.keras", ["predict", "runs/job", "photos/train"], "delete it and train again"),
        ("predictions/dctnet/test.npz", ["submit", "runs/job"], "delete the file and run predict again"),
        ("predictions/dctnet/validation.npz", ["leaderboard", "runs/job"], "delete the file and run predict again"),
        ("config.json", ["submit", "runs/job"], "is not valid JSON"),
        ("manifest.csv", ["submit", "runs/job"], "manifest.csv is not a manifest"),
        ("leaderboard.csv", ["leaderboard"], "delete it and run predict RUN again"),
    ],
)
def test_damaged_file_of_a_run_is_named(name, arguments, message, home, error_of):
    path = home / "runs" / "job" / name
    path.write_text("a,b\n1,2\n") if path.suffix == ".csv" else cut(path)
    error = error_of(*arguments)
    assert message in error
    assert str(Path("runs/job") / name) in error


@pytest.mark.parametrize("name", ["manifest.csv", "validation.csv"])
def test_missing_file_of_a_run_is_named(name, home, error_of):
    (home / "runs" / "job" / name).unlink()
    assert f"runs/job/{name} does not exist" in error_of("leaderboard", "runs/job")


def test_incomplete_config_is_damaged(home, error_of):
    config = {"format_version": FORMAT_VERSION, "data": "photos", "recipes": {}}
    (home / "runs" / "job" / "config.json").write_text(json.dumps(config))
    assert "config.json is damaged ('task'); delete the run or restore the file" in error_of("submit", "runs/job")


def test_unknown_camera_in_the_solution_is_named(home, error_of):
    path = home / "photos" / "solution.csv"
    path.write_text(path.read_text().replace("cat", "ant"))
    error = error_of("leaderboard", "runs/job")
    assert "the truth has unknown cameras ant; the run was trained on cat, dog, eel" in error


def test_predict_without_a_usable_photo_names_the_reasons(home, error_of):
    (home / "page.jpg").write_text("<html>")
    error = error_of("predict", "runs/job", "page.jpg", "absent.jpg")
    assert "none of the 2 files is a usable photo (page.jpg: a file that begins" in error


def damage(folder):
    """Replace a photo by a PNG file whose header is complete, so that only decoding finds the damage."""
    path = folder / "0.png"
    pixels = np.asarray(Image.open(path.with_suffix(".jpg")))
    path.with_suffix(".jpg").unlink()
    Image.fromarray(pixels).save(path)
    good = path.read_bytes()
    half = len(good) // 2
    path.write_bytes(good[:half] + bytes(50) + good[half + 50 :])


def test_a_damaged_photo_is_left_out_and_named(photos, command, capsys, untraced):
    damage(photos / "train" / "eel")
    assert command(*TRAIN, "--batch", 3) == 0
    assert "warning: skipped 1 file(s): train/eel/0.png (" in capsys.readouterr().err
    assert "train/eel/0.png" not in Path("runs/convnet-smoke-photos/manifest.csv").read_text()


def test_many_damaged_photos_stop_the_training(photos, error_of):
    for camera in ("cat", "eel"):
        damage(photos / "train" / camera)
    assert "2 of 21 photos cannot be decoded, more than 5%" in error_of(*TRAIN)


def full_disk(monkeypatch, name):
    """Simulate a full disk for files of this name."""
    replace = os.replace

    def fail(source, target):
        if Path(target).name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(source))
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)


@pytest.mark.parametrize("name", ["manifest.csv", "config.json"])
def test_no_run_is_created_on_a_full_disk(name, photos, command, capsys, monkeypatch):
    full_disk(monkeypatch, name)
    assert command(*TRAIN) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: the disk is full while writing ")
    assert error.endswith("; free some space and run the same command again\n")
    assert not [path for path in Path().rglob("*") if "partial" in path.name]
    assert not list(Path("runs").rglob("config.json"))


def test_training_continues_after_a_full_disk(photos, command, capsys, monkeypatch, untraced):
    for name in ("epoch-0.weights.h5", "history.csv", "model.keras", "validation.npz", "scores.json"):
        with monkeypatch.context() as patch:
            full_disk(patch, name)
            assert command(*TRAIN) == 2
        last = capsys.readouterr().err.splitlines()[-1]
        assert last.startswith("error: the disk is full while writing ")
        assert name in last
        found = {path.name for path in Path().rglob("*")}
        assert not [name for name in found if "partial" in name]
        assert name not in found
    assert command(*TRAIN) == 0
    assert {"model.keras", "scores.json", "submission.csv"} <= {path.name for path in Path().rglob("*")}


def test_full_disk_is_reported_without_a_file_name(home, command, capsys, monkeypatch):
    """The error of h5py does not have the name of the file."""

    def fail(*args, **options):
        raise OSError(errno.ENOSPC, "Can't synchronously write data (file write failed: time = …\n, filename = …)")

    monkeypatch.setattr(np, "savez", fail)
    (home / "runs" / "job" / "predictions" / "dctnet" / "test.npz").unlink()
    monkeypatch.setattr("submissions.members.load_model", lambda path: None)
    monkeypatch.setattr(
        "submissions.members.predict",
        lambda *args: {"camera": load(Path("runs/job/predictions/mobilenet/test.npz"))},
    )
    assert command("predict", "runs/job") == 2
    assert capsys.readouterr().err == "error: the disk is full; free some space and run the same command again\n"
    assert not list(home.glob("runs/job/predictions/dctnet/*test*"))


def test_unusable_output_path_is_named(photos, error_of):
    Path("runs").write_text("a file, where a folder is needed")
    assert "runs/convnet-smoke-photos cannot be written, because runs is a file; move it away" in error_of(*TRAIN)


def test_every_command_has_a_module_of_its_name():
    folder = Path(command_line.__file__).parent
    assert all((folder / f"{name.replace('-', '_')}.py").is_file() for name in command_line.COMMANDS)


def test_arguments_of_test_are_passed_on_to_pytest(monkeypatch, command):
    calls = []

    def run(line, cwd, check):
        calls.append((line[line.index("-m") :], cwd))
        return subprocess.CompletedProcess(line, 0)

    monkeypatch.setattr(subprocess, "run", run)
    for arguments in (["-m", "not slow", "tests/models", "-q"], ["tests/models", "-k", "a or b"], []):
        assert command("test", *arguments) == 0
        assert calls.pop() == (["-m", "pytest", *PARALLEL, *arguments], Path(__file__).parents[2])


def test_bug_keeps_its_traceback(monkeypatch, command):
    def bug(args):
        raise KeyError("a bug")

    monkeypatch.setattr(command_line.COMMANDS["info"], "run", bug)
    with pytest.raises(KeyError, match="a bug"):
        command("info")
