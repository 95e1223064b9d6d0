"""Commands `splice` and `evaluate-splices`: pictures and scores of usable photos, a reason for the others."""

import argparse
import json
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from commands import evaluate_splices, splice
from competition.forgeries.datasets import DATA_SETS
from models.presets import dual_encoder_recipe
from submissions.splices import detector
from submissions.splices.calibration import Calibration
from submissions.splices.consistency import COUNT
from submissions.splices.detector import METHODS, Encoder

HEIGHT, WIDTH = 50, 80


def embed_roughness(patches, on_progress):
    angle = patches.std(axis=(1, 2, 3)) / 80 * np.pi / 2
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


@pytest.fixture
def encoder(tmp_path, monkeypatch):
    """Replaces the encoder of every run; the working directory is empty."""
    monkeypatch.chdir(tmp_path)
    # Smooth patches have the angle 0 and noise has about 80 degrees, on both sides of 45.
    directions = np.array([[1], [-1]], np.float32)
    calibration = Calibration(np.zeros(2, np.float32), directions, threshold=0.5, photos=20)
    monkeypatch.setattr(
        detector,
        "load_encoder",
        lambda folder: Encoder(str(folder), 16, embed_roughness, simulated=True, calibration=calibration),
    )
    monkeypatch.setattr("submissions.exif_language.open_exif_language", lambda folder: None)


def picture(number=0, spliced=True):
    noise = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[10:35, 10:45] = spliced
    return np.where(mask[..., None], noise, 100 + noise // 40), mask


def save(pixels, path):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def unusable(folder):
    """Write one unusable file of each kind; returns name → expected reason."""
    pixels = picture()[0]
    save(pixels[..., 0], folder / "gray.png")
    save(pixels[..., 0].astype(np.uint16), folder / "deep.png")
    save(pixels[:15], folder / "small.png")
    save(pixels, folder / "cut.png")
    (folder / "cut.png").write_bytes((folder / "cut.png").read_bytes()[:2000])
    (folder / "page.jpg").write_text("<html>")
    return {
        "gray.png": "holds L pixels",
        "deep.png": "holds I;16",
        "small.png": "80x15 pixels, less than a patch of 16",
        "cut.png": "cannot be read",
        "page.jpg": "is not an image",
        "absent.png": "does not exist",
    }


def test_photos_get_pictures_and_a_score(encoder, command, capsys):
    mask = picture()[1]
    for path in ("a/deep/Sea.bmp", "a/out/old-overlay.png", "b/sea.tif", "lake.png"):
        save(picture(spliced=path != "lake.png")[0], path)
    reasons = unusable(Path("a"))
    photos = ("a", "b", "lake.png", "lake.png", "a/absent.png")
    assert command("splice", *photos, "--run", "r", "--count", 12, "--out", "a/out") == 0
    output, warnings = capsys.readouterr()
    for name, reason in reasons.items():
        assert f"warning: skipped a/{name}: " in warnings and reason in warnings
    assert "trained on simulated photos only" in output
    table = pd.read_csv("a/out/scores.csv")
    assert list(table) == ["path", "name", "score", "threshold", "verdict", "width", "height", "patch", "stride"]
    assert table["verdict"].tolist() == ["inconsistent", "inconsistent", "consistent"]
    assert "2 of 3 photos are above it" in " ".join(output.split())
    assert table["name"].tolist() == ["Sea", "sea-2", "lake"]
    assert table["path"].tolist() == ["a/deep/Sea.bmp", "b/sea.tif", "lake.png"]
    assert table["score"].iloc[:2].min() > 10 * table["score"].iloc[2]
    assert (table[["width", "height", "patch", "stride"]] == [WIDTH, HEIGHT, 16, 8]).all(axis=None)
    drawn = {f"{name}-{kind}.png" for name in table["name"] for kind in ("heat", "mask", "overlay")}
    assert {path.name for path in Path("a/out").iterdir()} == drawn | {"scores.csv", "old-overlay.png"}
    found = np.asarray(Image.open("a/out/sea-2-mask.png"))
    # The mask is coarse, because patches are averaged with their neighbors.
    assert set(np.unique(found)) == {0, 255} and ((found > 0) == mask).mean() > 0.7
    assert not np.asarray(Image.open("a/out/lake-mask.png")).any()  # nothing is marked in a consistent photo
    heat = np.asarray(Image.open("a/out/sea-2-heat.png"))
    assert heat.shape == mask.shape and heat[mask].mean() > heat[~mask].mean() + 100


def test_no_usable_photo_raises(encoder, command, error_of):
    reasons = unusable(Path("a"))
    error = error_of("splice", "a", "--run", "r")
    assert f"none of the {len(reasons) - 1} files is a usable photo (a/cut.png cannot be read" in error
    Path("b").mkdir()
    assert "no images found" in error_of("splice", "b", "--run", "r")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--count", "0"], "--count: received '0', expected a whole number of at least 1"),
        (["--run", "r", "--count", "61"], "expected a count of 1 to 60 patches along a side, received 61"),
        (["--method", "vote"], "unknown --method 'vote'; known: shift, cut"),
    ],
)
def test_invalid_options_raise(options, message, encoder, error_of):
    save(picture()[0], "a.png")
    assert message in error_of("splice", "a.png", *options)


def test_run_without_image_encoder_raises(error_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(picture()[0], "a.png")
    assert "runs has no finished exif-language run; train one with `train exif-language`" in error_of("splice", "a.png")
    recipe = asdict(dual_encoder_recipe("smoke", patch=24))
    for name, kind in (
        ("cameras", None),
        ("begun", "exif-language"),
        ("cut", "exif-language"),
        ("plain", "exif-language"),
    ):
        Path("runs", name).mkdir(parents=True)
        config = {"format_version": 2, "kind": kind, "data": "", "seed": 0, "recipe": recipe}
        Path("runs", name, "config.json").write_text(json.dumps(config))
    for name in ("cut", "plain"):
        Path("runs", name, "image.keras").write_bytes(b"PK")
    Calibration(np.zeros(2, np.float32), np.eye(2, dtype=np.float32)).save(Path("runs/cut"))
    for name, message in (
        ("absent", "unknown run 'runs/absent'; known: runs/begun, runs/cameras, runs/cut, runs/plain"),
        ("cameras", "runs/cameras is not an exif-language run"),
        ("begun", "the run runs/begun is not finished: it has no image.keras"),
        ("cut", "runs/cut/image.keras is damaged"),
        ("plain", "the run runs/plain has no calibration.npz; repeat its train command"),
    ):
        assert message in error_of("splice", "a.png", "--run", f"runs/{name}")
        assert message in error_of("evaluate-splices", f"runs/{name}", "--dataset", "general", "--root", "tree")


@pytest.fixture
def tree(encoder):
    """A folder of virtual splices with two forged and two authentic pictures."""
    for number in range(4):
        pixels, mask = picture(number, number < 2)
        save(pixels, f"tree/images/{number}.png")
        if number < 2:
            save(mask, f"tree/masks/{number}.png")
    rows = [(f"{number}.png", "any" * (number < 2), "hard" * (number < 2), "", 0.2) for number in range(4)]
    table = pd.DataFrame(rows, columns=["name", "settings", "edge", "quality", "share"])
    table.to_csv("tree/splices.csv", index=False)
    return Path("tree")


def test_virtual_splices_are_scored_by_group(tree, command, capsys):
    assert command("evaluate-splices", "runs/r", "--root", tree, "--count", 12) == 0
    output = capsys.readouterr().out
    assert "data set virtual (simulated)" in output
    assert "any settings" in output and "similar settings" not in output
    out = Path("runs/r/splices-virtual")
    assert "(simulated)" in (out / "table.md").read_text()
    assert len(pd.read_csv(out / "images.csv")) == 12
    table = pd.read_csv(out / "table.csv").set_index("map")
    assert table.loc["network", "p_map"] > 0.6 and table.loc["network", "detection_map"] == 1
    assert table.loc["network", ["found", "false_alarms"]].tolist() == [1, 0]
    assert (out / "examples.png").is_file() and len(list(out.glob("maps/images/*.npz"))) == 4


def test_data_set_without_authentic_images_has_no_detection(tree, command, capsys):
    for number in (2, 3):
        (tree / "images" / f"{number}.png").unlink()
    options = ("--dataset", "general", "--root", tree, "--method", "cut", "--count", 12, "--limit", 1)
    assert command("evaluate-splices", "runs/r", *options) == 0
    assert "no detection mAP, because there are no authentic images" in capsys.readouterr().out
    table = pd.read_csv("runs/r/splices-general-cut/table.csv")
    assert table["detection_map"].isna().all() and (table["forged"] == 1).all()


def test_unusable_data_sets_raise(tree, error_of):
    assert "pass it with --root DIR" in error_of("evaluate-splices", "runs/r", "--dataset", "columbia")
    assert "known: columbia, " in error_of("evaluate-splices", "runs/r", "--dataset", "moon", "--root", tree)
    assert "tree/4cam_splc/edgemask is missing" in error_of(
        "evaluate-splices", "runs/r", "--dataset", "columbia", "--root", tree
    )
    for number in (0, 1):
        save(np.zeros((HEIGHT, WIDTH), np.uint8), tree / "masks" / f"{number}.png")
    assert "no forged image can be used: 2 of 4 images were left out; images/0: tree/masks/0.png marks nothing" in (
        error_of("evaluate-splices", "runs/r", "--root", tree)
    )
    (tree / "splices.csv").unlink()
    assert "splices.csv does not exist" in error_of("evaluate-splices", "runs/r", "--root", tree)
    (tree / "images" / "0.png").unlink()
    assert "have no image" in error_of("evaluate-splices", "runs/r", "--dataset", "general", "--root", tree)


def test_help_lists_every_data_set_and_method():
    assert tuple(METHODS) == splice.METHODS
    parser = argparse.ArgumentParser()
    evaluate_splices.add_arguments(parser)
    text = re.sub(r"-\n +", "-", parser.format_help())
    assert all(name in text for name in DATA_SETS)


def test_default_number_of_patches_is_that_of_the_threshold():
    parser = argparse.ArgumentParser()
    splice.add_map_arguments(parser)
    assert parser.parse_args([]).count == COUNT
