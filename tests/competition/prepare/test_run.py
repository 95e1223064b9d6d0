"""A prepared folder has fewer pixels and the same patches, bit for bit; the source is unchanged."""

import io
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from augment.crops import phase_positions
from augment.decode import read_pixels
from augment.manipulations import MANIPULATIONS, NAMES, SCALES, cut_patch, cut_test_patch
from competition.manifest import read_folder
from competition.metadata.header import read_header
from competition.prepare.run import prepare
from competition.utils.errors import InputError


def scene(height: int, width: int) -> Image.Image:
    """Smooth color noise: all pixels differ, and files are small."""
    small = np.random.default_rng(height).integers(0, 256, (height // 3 + 1, width // 3 + 1, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def save(path: Path, height: int, width: int, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0110] = "M-1"
    exif.get_ifd(0x8769)[0xA002] = width
    scene(height, width).save(path, exif=exif, **{"quality": 96, **options})


@pytest.fixture
def folder(tmp_path):
    """Two cameras with small photos, a test patch and a solution."""
    save(tmp_path / "photos/train/a/1.jpg", 611, 480, subsampling="4:2:2")
    save(tmp_path / "photos/train/a/2.jpg", 470, 802, subsampling="4:4:4", progressive=True)
    save(tmp_path / "photos/train/b/1.jpg", 200, 210)
    scene(300, 500).save(tmp_path / "photos/train/b/2.png")
    (tmp_path / "photos/test").mkdir()
    scene(64, 64).save(tmp_path / "photos/test/x_unalt.tif")
    (tmp_path / "photos/solution.csv").write_text("fname,camera\n")
    return tmp_path / "photos"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("height", "width", "subsampling"),
    [(1500, 1400, "4:2:0"), (1333, 1421, "4:2:2"), (1410, 1295, "4:4:4")],  # even, odd, mixed
)
def test_patches_equal_those_of_the_original_bit_for_bit(height, width, subsampling, tmp_path):
    """Test patches of 512 under every manipulation, and training patches at least 16 pixels from the border."""
    save(tmp_path / "photos/train/a/1.jpg", height, width, subsampling=subsampling)
    table, skipped = prepare(tmp_path / "photos", tmp_path / "out")
    assert not skipped
    row = table.iloc[0]
    assert row["crop_left"] > 0 or row["crop_top"] > 0
    original, cropped = (read_pixels(tmp_path / place / "train/a/1.jpg") for place in ("photos", "out"))
    assert cropped.size < original.size
    assert len(MANIPULATIONS) == 8
    for name in NAMES:
        assert np.array_equal(cut_test_patch(cropped, name, 512), cut_test_patch(original, name, 512)), name

    top, left, (below, right) = row["crop_top"], row["crop_left"], cropped.shape[:2]
    inside = original[top + 16 : top + below - 16, left + 16 : left + right - 16]
    assert np.array_equal(cropped[16:-16, 16:-16], inside)
    for name in ("unaltered", "jpeg70", "resize0.8", "resize1.5"):
        outputs, inputs = (SCALES[name].outputs, SCALES[name].inputs) if name in SCALES else (1, 1)
        step = SCALES[name].phase_step if name in SCALES else 8
        margin = 24 * outputs // inputs  # 16 pixels and the radius of the kernel
        rows, columns = (phase_positions(-(-side * outputs // inputs), 256, step, margin) for side in (below, right))
        for corner in ((rows[0], columns[0]), (rows[-1], columns[len(columns) // 2])):
            same = (corner[0] + top * outputs // inputs, corner[1] + left * outputs // inputs)
            assert np.array_equal(cut_patch(cropped, name, 256, corner), cut_patch(original, name, 256, same)), name


def test_a_prepared_folder_has_the_same_files_and_manifest_except_sizes(folder, tmp_path):
    before = contents(folder)
    table, skipped = prepare(folder, tmp_path / "out", 300)
    assert skipped == {}
    assert contents(folder) == before
    assert set(contents(tmp_path / "out")) == {*before, "prepared.csv"}
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "out/prepared.csv").astype(table.dtypes), table)
    assert table["bytes"].tolist() == [(tmp_path / "out" / path).stat().st_size for path in table["path"]]
    assert table[["crop_left", "crop_top"]].to_numpy().tolist() == [[80, 120], [240, 80], [0, 0], [0, 0]]

    original, prepared = (read_folder(place)[0] for place in (folder, tmp_path / "out"))
    sizes = ["width", "height"]
    pd.testing.assert_frame_equal(prepared.drop(columns=sizes), original.drop(columns=sizes))
    for place in ("train/a/1.jpg", "train/a/2.jpg"):
        old, new = read_header(folder / place), read_header(tmp_path / "out" / place)
        assert (new.tables, new.subsampling, new.exif_width) == (old.tables, old.subsampling, old.exif_width)


def test_small_photos_and_other_files_are_copied_byte_for_byte(folder, tmp_path):
    prepare(folder, tmp_path / "out", 300)
    made = contents(tmp_path / "out")
    for name in ("train/b/1.jpg", "train/b/2.png", "test/x_unalt.tif", "solution.csv"):
        assert made[name] == (folder / name).read_bytes()


def test_a_second_run_makes_only_missing_and_wrong_files(folder, tmp_path):
    out = tmp_path / "out"
    table, _ = prepare(folder, out, 300)
    made = contents(out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.*") if path.name != "prepared.csv"}
    (out / "train/a/1.jpg").unlink()
    shutil.copy(folder / "train/a/2.jpg", out / "train/a/2.jpg")  # of another size
    (out / "train/b/1.jpg").write_bytes(b"half")
    again, _ = prepare(folder, out, 300, jobs=2)
    pd.testing.assert_frame_equal(again, table)
    assert contents(out) == made
    assert times[out / "train/b/2.png"] == (out / "train/b/2.png").stat().st_mtime_ns


def test_damaged_files_are_skipped_with_a_reason(folder, tmp_path):
    data = (folder / "train/a/1.jpg").read_bytes()
    (folder / "train/a/3.jpg").write_bytes(data[:-40])
    (folder / "train/a/4.jpg").write_bytes(data[: len(data) // 2] + b"\xff\xd9")
    (folder / "train/a/5.jpg").write_text("<html>")
    (folder / "train/notes.txt").write_text("mine")
    table, skipped = prepare(folder, tmp_path / "out", 300)
    assert len(table) == 4
    assert skipped == {
        "train/a/3.jpg": "truncated",
        "train/a/4.jpg": "Corrupt JPEG data: premature end of data segment",
        "train/a/5.jpg": "a file that begins with b'<html>', not a JPEG, PNG or TIFF image",
        "train/notes.txt": "not inside a camera's folder",
    }
    assert not [name for name in contents(tmp_path / "out") if name in skipped or "partial" in name]


def test_a_photo_with_a_second_image_in_its_file_can_be_read(tmp_path):
    """Phones write such files. The second image is not kept."""
    path = tmp_path / "photos/train/a/1.jpg"
    path.parent.mkdir(parents=True)
    with io.BytesIO() as stream:
        scene(500, 500).save(stream, "MPO", save_all=True, append_images=[scene(100, 100)])
        path.write_bytes(stream.getvalue())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prepare(tmp_path / "photos", tmp_path / "out", 300)
        assert read_pixels(tmp_path / "out/train/a/1.jpg").shape == (340, 340, 3)


def test_only_the_given_photos_are_prepared(folder, tmp_path):
    table, _ = prepare(folder, tmp_path / "out", 300, only={"train/a/2.jpg", "train/b/2.png"})
    assert table["path"].tolist() == ["train/a/2.jpg", "train/b/2.png"]
    with pytest.raises(InputError, match=r"no photo train/z/9\.jpg"):
        prepare(folder, tmp_path / "out", 300, only={"train/a/2.jpg", "train/z/9.jpg"})
    prepare(folder, tmp_path / "out2", 300)
    with pytest.raises(InputError, match=r"has 2 photo\(s\) that do not belong there, the first is train/a/1\.jpg"):
        prepare(folder, tmp_path / "out2", 300, only={"train/a/2.jpg", "train/b/2.png"})


@pytest.mark.parametrize("out", [".", "train", "prepared", ".."])
def test_nested_folders_are_rejected(out, folder):
    before = contents(folder)
    with pytest.raises(InputError, match="the same folder or nested"):
        prepare(folder, folder / out)
    assert contents(folder) == before


def test_the_record_of_collect_is_copied(folder, tmp_path):
    (folder / "collected.csv").write_text("path\n")
    prepare(folder, tmp_path / "out", 300)
    assert (tmp_path / "out/collected.csv").read_text() == "path\n"
    (folder / "collected.csv").unlink()
