"""Folders with files that are not what they seem: commands end, name them, and write only their output."""

import os
import socket

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from competition.manifest import list_folder


@pytest.fixture
def folder(photo_folder, tmp_path, monkeypatch):
    """Good photos, and beside them a pipe, a device, a socket, links, and names with unusual characters."""
    monkeypatch.chdir(tmp_path)
    photos = photo_folder(tmp_path / "photos")
    cat = photos / "train" / "cat"
    os.mkfifo(cat / "pipe.jpg")
    (cat / "device.jpg").symlink_to("/dev/zero")
    (cat / "unreadable.jpg").symlink_to("/proc/self/mem")  # a regular file: reading it is an error, even for root
    with socket.socket(socket.AF_UNIX) as one:
        monkeypatch.chdir(cat)
        one.bind("socket.jpg")
        monkeypatch.chdir(tmp_path)
    (cat / "dangling.jpg").symlink_to("nowhere")
    (cat / "loop.jpg").symlink_to("loop.jpg")
    (cat / "up").symlink_to("..")
    (cat / "folder.jpg").mkdir()
    (cat / "empty.jpg").touch()
    secret = tmp_path / "secret.txt"
    secret.write_text("not a photo")
    (cat / "secret.jpg").symlink_to(secret)
    os.link(cat / "0.jpg", cat / "line\nbreak \x1b[31m.jpg")
    os.link(cat / "1.jpg", cat / "..jpg.jpg")
    os.link(cat / "2.jpg", cat / "--out=x.jpg")
    return photos


UNUSABLE = (
    "pipe.jpg",
    "device.jpg",
    "unreadable.jpg",
    "socket.jpg",
    "dangling.jpg",
    "loop.jpg",
    "empty.jpg",
    "secret.jpg",
)


def test_doctor_rejects_what_is_no_photo_and_ends(folder, command, tmp_path):
    assert command("doctor", folder, "--out", "doctor.csv", "--pixels", "--jobs", 1) == 0
    report = pd.read_csv("doctor.csv").set_index("path")
    rejected = report.loc[[f"train/cat/{name}" for name in UNUSABLE], "fit_reasons"]
    assert rejected.str.startswith("unreadable: ").all()
    assert "train/cat/line\nbreak \x1b[31m.jpg" in report.index
    assert sorted(path.name for path in tmp_path.iterdir()) == ["doctor.csv", "photos", "secret.txt"]


def test_prepare_copies_photos_only(folder, command, tmp_path):
    assert command("prepare", folder, "--out", "out", "--size", 64, "--jobs", 1) == 0
    made = {path.name for path in (tmp_path / "out" / "train" / "cat").iterdir()}
    assert made == {
        *(f"{number}.jpg" for number in range(7)),
        "line\nbreak \x1b[31m.jpg",
        "--out=x.jpg",
    }  # no hidden one
    assert not any(path.is_symlink() for path in (tmp_path / "out").rglob("*"))


def test_prepare_skips_test_images_that_are_no_files(photo_folder, command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    photos = photo_folder(tmp_path / "photos", photos=3, test=1)
    (photos / "test" / "device_unalt.tif").symlink_to("/dev/zero")
    os.mkfifo(photos / "test" / "pipe_manip.tif")
    (photos / "test" / "dangling_manip.tif").symlink_to("nowhere")
    assert command("prepare", photos, "--out", "out", "--size", 64, "--jobs", 1) == 0
    error = capsys.readouterr().err
    assert "skipped 3 file(s)" in error
    assert "test/device_unalt.tif (not a regular file)" in error
    assert len(list((tmp_path / "out" / "test").iterdir())) == 6


def test_error_about_a_name_with_a_newline_is_one_line(tmp_path, monkeypatch, error_of):
    monkeypatch.chdir(tmp_path)
    assert r"photos\nof \x1b[31mmine" in error_of("prepare", "photos\nof \x1b[31mmine", "--out", "out")


def test_link_in_the_output_is_replaced_and_its_target_is_unchanged(photo_folder, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo_folder(tmp_path / "photos", photos=3)
    victim = tmp_path / "victim.csv"
    victim.write_text("precious")
    (tmp_path / "doctor.csv").symlink_to(victim)
    assert command("doctor", "photos", "--out", "doctor.csv", "--jobs", 1) == 0
    assert victim.read_text() == "precious"
    assert not (tmp_path / "doctor.csv").is_symlink()


def test_ten_thousand_files_in_a_folder_are_listed(tmp_path):
    for camera in "ab":
        (tmp_path / "train" / camera).mkdir(parents=True)
    first = tmp_path / "train" / "a" / "0.jpg"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(first)
    for number in range(1, 10_000):
        os.link(first, tmp_path / "train" / "ab"[number % 2] / f"{number}.jpg")
    train, test, others = list_folder(tmp_path)
    assert (len(train), len(test), len(others)) == (10_000, 0, 0)
