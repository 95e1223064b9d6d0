"""The command `doctor` writes two verdicts for each file and, on request, the manifest of the kept files."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from competition.manifest import load_manifest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder `photos` in the working directory: two photos, one with a low JPEG quality, and a web page."""
    monkeypatch.chdir(tmp_path)
    exif = Image.Exif()
    exif[0x0110] = "M-1"
    for number, quality in enumerate((95, 60)):
        path = tmp_path / "photos" / "train" / "mine" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (600, 600, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path, quality=quality, exif=exif)
    (tmp_path / "photos" / "page.html").write_text("<html>")
    return Path("photos")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_verdicts_and_manifest_are_written_and_photos_are_unchanged(folder, command, capsys):
    before = contents(folder)
    assert command("doctor", folder, "--out", "out/doctor.csv", "--apply", "--pixels", "--jobs", 1) == 0
    assert contents(folder) == before
    assert sorted(path.name for path in Path("out").iterdir()) == ["doctor.csv", "doctor.manifest.csv"]
    table = pd.read_csv("out/doctor.csv")
    assert table["path"].tolist() == ["page.html", "train/mine/0.jpg", "train/mine/1.jpg"]
    assert table["original"].fillna("").tolist() == ["", "yes", "yes"]
    assert table["fit"].tolist() == ["no", "yes", "no"]
    assert load_manifest("out/doctor.manifest.csv")["path"].tolist() == ["train/mine/0.jpg"]
    printed = capsys.readouterr().out
    assert "mine" in printed
    assert "quality" in printed


def test_rules_can_be_left_out(folder, command):
    assert command("doctor", folder, "--out", "doctor.csv", "--without", "quality", "table", "--jobs", 1) == 0
    assert pd.read_csv("doctor.csv")["fit"].tolist() == ["no", "yes", "yes"]


def test_splits_are_read_from_a_manifest(folder, command):
    command("doctor", folder, "--out", "doctor.csv", "--apply", "--jobs", 1)
    manifest = Path("manifest.csv")
    manifest.write_text(Path("doctor.manifest.csv").read_text().replace(",train\n", ",validation\n"))
    assert command("doctor", folder, "--out", "doctor.csv", "--splits", manifest, "--jobs", 1) == 0
    assert pd.read_csv("doctor.csv").set_index("path").loc["train/mine/0.jpg", "split"] == "validation"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--without", "quantity"], "unknown rule 'quantity'; known: complete, "),
        (["--splits", "absent.csv"], "absent.csv does not exist"),
    ],
)
def test_invalid_options_are_rejected_before_anything_is_written(arguments, message, folder, error_of):
    assert message in error_of("doctor", folder, "--out", "doctor.csv", "--jobs", 1, *arguments)


def test_archives_are_unpacked_first(folder, command, capsys):
    shutil.make_archive("photos/train", "zip", "photos", "train")
    shutil.rmtree("photos/train")
    assert command("doctor", folder, "--out", "doctor.csv", "--jobs", 1) == 0
    assert "photos/train.zip: unpacked 2 files to photos/train" in capsys.readouterr().out
    table = pd.read_csv("doctor.csv")
    assert table["path"].tolist() == ["page.html", "train/train/mine/0.jpg", "train/train/mine/1.jpg"]
