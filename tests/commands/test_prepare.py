"""The command `prepare` says what it made, what it skipped and which command comes next."""

import argparse

import numpy as np
import pytest
from PIL import Image

from commands import prepare
from competition.manifest import read_folder, write_manifest
from competition.prepare.run import DEFAULT_SIZE


@pytest.fixture
def folder(tmp_path):
    for camera in "ab":
        path = tmp_path / "photos" / "train" / camera / "1.jpg"
        path.parent.mkdir(parents=True)
        pixels = np.random.default_rng(ord(camera)).integers(0, 256, (500, 500, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path, quality=95)
    return tmp_path / "photos"


def test_prepared_and_skipped_photos_are_reported(folder, command, tmp_path, capsys):
    (folder / "train" / "a" / "2.jpg").write_bytes(b"")
    out = tmp_path / "out"
    assert command("prepare", folder, "--out", out, "--size", 300, "--jobs", 1) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("warning: skipped 1 file(s): train/a/2.jpg (empty")
    assert f"{out}: 2 photos" in printed.out
    assert read_folder(out)[0]["width"].tolist() == [340, 340]


def test_only_photos_of_the_manifest_are_prepared(folder, command, tmp_path):
    table = read_folder(folder)[0]
    write_manifest(table[table["camera"] == "b"], tmp_path / "kept.csv")
    options = ["--out", tmp_path / "out", "--manifest", tmp_path / "kept.csv", "--jobs", 1]
    assert command("prepare", folder, *options) == 0
    assert [path.name for path in (tmp_path / "out" / "train").iterdir()] == ["b"]


def test_the_folder_itself_is_rejected(folder, error_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "the same folder or nested" in error_of("prepare", folder, "--out", folder)


def test_the_default_size_is_that_of_the_module():
    parser = argparse.ArgumentParser()
    prepare.add_arguments(parser)
    assert parser.parse_args(["photos", "--out", "out"]).size == DEFAULT_SIZE
