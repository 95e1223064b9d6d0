"""`./run.sh prepare` says what it made, what it left out and what comes next."""

import numpy as np
import pytest
from PIL import Image

from commands.__main__ import main
from competition.manifest import load_manifest, read_folder, write_manifest


@pytest.fixture
def folder(tmp_path):
    for camera in "ab":
        path = tmp_path / "photos" / "train" / camera / "1.jpg"
        path.parent.mkdir(parents=True)
        pixels = np.random.default_rng(ord(camera)).integers(0, 256, (500, 500, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path, quality=95)
    return tmp_path / "photos"


def test_it_prepares_and_says_so(folder, tmp_path, capsys):
    (folder / "train" / "a" / "2.jpg").write_bytes(b"")
    out = tmp_path / "out"
    assert main(["prepare", str(folder), "--out", str(out), "--size", "300", "--jobs", "1"]) == 0
    told = capsys.readouterr().out
    assert "skipped 1 file(s): train/a/2.jpg (empty" in told
    assert f"{out}: 2 photographs" in told
    assert read_folder(out)[0]["width"].tolist() == [340, 340]


def test_a_manifest_says_which(folder, tmp_path):
    table = read_folder(folder)[0]
    write_manifest(table[table["camera"] == "b"], tmp_path / "kept.csv")
    words = ["--out", str(tmp_path / "out"), "--manifest", str(tmp_path / "kept.csv"), "--jobs", "1"]
    assert main(["prepare", str(folder), *words]) == 0
    assert [path.name for path in (tmp_path / "out" / "train").iterdir()] == ["b"]
    assert len(load_manifest(tmp_path / "kept.csv")) == 1


def test_the_folder_itself_is_refused(folder, capsys):
    assert main(["prepare", str(folder), "--out", str(folder)]) == 2
    assert capsys.readouterr().err.startswith("error: ")
