"""`./run.sh doctor` writes a verdict for each file, and on request the manifest of what is kept; nothing else."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from commands import doctor
from competition.manifest import load_manifest
from competition.utils.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """Two photographs of which one is kept, and a page."""
    exif = Image.Exif()
    exif[0x0110] = "M-1"
    for number, quality in enumerate((95, 60)):
        path = tmp_path / "photos" / "train" / "mine" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (600, 600, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path, quality=quality, exif=exif)
    (tmp_path / "photos" / "page.html").write_text("<html>")
    return tmp_path / "photos"


def run(*words: object) -> None:
    parser = argparse.ArgumentParser()
    doctor.add_arguments(parser)
    doctor.run(parser.parse_args([str(word) for word in words]))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_writes_verdicts_and_the_manifest_and_touches_nothing(folder, tmp_path, capsys):
    before = contents(folder)
    run(folder, "--out", tmp_path / "out" / "doctor.csv", "--apply", "--pixels", "--jobs", 1)
    assert contents(folder) == before
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["doctor.csv", "doctor.manifest.csv"]
    table = pd.read_csv(tmp_path / "out" / "doctor.csv")
    assert table["path"].tolist() == ["page.html", "train/mine/0.jpg", "train/mine/1.jpg"]
    assert table["verdict"].tolist() == ["reject", "keep", "reject"]
    assert load_manifest(tmp_path / "out" / "doctor.manifest.csv")["path"].tolist() == ["train/mine/0.jpg"]
    told = capsys.readouterr().out
    assert "mine" in told
    assert "quality" in told


def test_rules_are_switched_off_by_name(folder, tmp_path):
    run(folder, "--out", tmp_path / "doctor.csv", "--without", "quality", "table", "--jobs", 1)
    assert pd.read_csv(tmp_path / "doctor.csv")["verdict"].tolist() == ["reject", "keep", "keep"]


def test_splits_come_from_a_manifest(folder, tmp_path):
    run(folder, "--out", tmp_path / "doctor.csv", "--apply", "--jobs", 1)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text((tmp_path / "doctor.manifest.csv").read_text().replace(",train\n", ",validation\n"))
    run(folder, "--out", tmp_path / "doctor.csv", "--splits", manifest, "--jobs", 1)
    table = pd.read_csv(tmp_path / "doctor.csv").set_index("path")
    assert table.loc["train/mine/0.jpg", "split"] == "validation"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--without", "quantity"], "unknown rule 'quantity'; known: complete, "),
        (["--splits", "absent.csv"], "absent.csv does not exist"),
    ],
)
def test_bad_words_are_refused_before_anything_is_written(words, told, folder, tmp_path):
    with pytest.raises(InputError, match=told):
        run(folder, "--out", tmp_path / "doctor.csv", "--jobs", 1, *words)
    assert not (tmp_path / "doctor.csv").exists()
