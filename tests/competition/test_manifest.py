"""A folder becomes a table that is the same after writing and reading. Errors about folders are one line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from competition.manifest import COLUMNS, DTYPES, describe_skipped, load_manifest, read_folder, write_manifest
from competition.manipulation import manipulation_from_name
from competition.metadata.collected import COLUMNS as RECORD_COLUMNS
from competition.utils.errors import InputError


def save(path: Path, mode: str = "RGB", **exif_fields: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    for tag, value in exif_fields.items():
        exif[int(tag.removeprefix("tag_"), 16)] = value
    Image.new(mode, (40, 30)).save(path, exif=exif)


@pytest.fixture
def folder(tmp_path):
    for camera in ("b", "a"):
        for name in ("2.jpg", "1.JPG", "3.jpeg"):
            save(tmp_path / "train" / camera / name, tag_010F="Make", tag_0110=f"Model {camera}")
    return tmp_path


def test_a_folder_becomes_a_table(folder):
    save(folder / "test" / "x_manip.tif")
    save(folder / "test" / "w_unalt.tif")
    table, skipped = read_folder(folder)
    assert skipped == {}
    assert {name: str(kind) for name, kind in table.dtypes.items()} == DTYPES
    names = ["1.JPG", "2.jpg", "3.jpeg"]
    expected = [f"train/{camera}/{name}" for camera in "ab" for name in names]
    assert table["path"].tolist() == [*expected, "test/w_unalt.tif", "test/x_manip.tif"]
    assert table["camera"].fillna("none").tolist() == ["a"] * 3 + ["b"] * 3 + ["none"] * 2
    assert table["model"].fillna("none").tolist() == ["Model a"] * 3 + ["Model b"] * 3 + ["none"] * 2
    assert table["split"].tolist() == ["train"] * 6 + ["test"] * 2
    assert table["manipulation"].tolist() == ["unaltered"] * 7 + ["manipulated"]
    assert (table["width"] == 40).all()
    assert (table["height"] == 30).all()
    assert table["device"].isna().all()


def test_processes_give_the_same_table(folder):
    pd.testing.assert_frame_equal(read_folder(folder, jobs=2)[0], read_folder(folder, jobs=1)[0])


def test_files_that_are_not_photos_are_skipped_counted_and_named(folder):
    complete = (folder / "train" / "a" / "2.jpg").read_bytes()
    (folder / "train" / "a" / "2.jpg").write_bytes(complete[:-20])
    (folder / "train" / "b" / "2.jpg").write_bytes(b"<html>not found</html>")
    (folder / "train" / "b" / "notes.txt").write_text("hello")
    (folder / "train" / "b" / ".hidden").write_text("hello")
    (folder / "train" / "b" / "more").mkdir()
    (folder / "train" / "stray.jpg").write_bytes(complete)
    table, skipped = read_folder(folder)
    assert table["path"].tolist() == ["train/a/1.JPG", "train/a/3.jpeg", "train/b/1.JPG", "train/b/3.jpeg"]
    assert list(skipped) == [
        *("train/a/2.jpg", "train/b/2.jpg", "train/b/more", "train/b/notes.txt", "train/stray.jpg"),
    ]
    message = describe_skipped(skipped)
    assert message.startswith("skipped 5 file(s): train/a/2.jpg (truncated), train/b/2.jpg (")
    assert "\n" not in message


def break_missing(folder):
    (folder / "train").rename(folder / "elsewhere")


def break_empty(folder):
    for path in folder.rglob("*.*"):
        path.unlink()


def break_one_camera(folder):
    (folder / "train" / "b").rename(folder / "b")


def break_all_truncated(folder):
    for path in (folder / "train" / "b").iterdir():
        path.write_bytes(path.read_bytes()[:-20])


def break_test_name(folder):
    save(folder / "test" / "img_1.tif")


def break_test_twice(folder):
    save(folder / "test" / "img_manip.tif")
    save(folder / "test" / "IMG_manip.png")


def break_train_twice(folder):
    save(folder / "train" / "a" / "1.png")


def break_colors(folder):
    save(folder / "train" / "a" / "gray.jpg", mode="L")
    save(folder / "train" / "a" / "alpha.png", mode="RGBA")
    save(folder / "train" / "a" / "cmyk.jpg", mode="CMYK")
    save(folder / "train" / "a" / "deep.png", mode="I;16")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (break_missing, "has no folder 'train'"),
        (break_empty, "holds no photos"),
        (break_one_camera, r"of 1 camera\(s\), expected at least 2"),
        (break_all_truncated, r"of 1 camera\(s\), .*skipped 3 file\(s\): train/b/1.JPG \(truncated\)"),
        (break_test_name, r"img_1.tif; they must end in _unalt or _manip"),
        (break_test_twice, r"IMG_manip.png, .*img_manip.tif; keep one of each"),
        (break_train_twice, r"a/1.JPG, .*a/1.png; keep one of each"),
        (
            break_colors,
            r"alpha.png \(8-bit RGBA\), .*cmyk.jpg \(8-bit CMYK\), .*deep.png \(16-bit .*gray.jpg .8-bit L",
        ),
    ],
)
def test_errors_about_folders_are_one_line(damage, message, folder):
    damage(folder)
    with pytest.raises(InputError, match=message) as caught:
        read_folder(folder)
    assert "\n" not in str(caught.value)


texts = (
    st.none()
    | st.text(st.characters(exclude_categories=("C", "Z")), min_size=1)
    | st.sampled_from(["NA", "null", "1e3"])
)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
kinds = {"str": texts, "float64": numbers, "int64": st.integers(0, 2**40)}
rows = st.fixed_dictionaries({name: kinds[kind] for name, kind in DTYPES.items()})


@settings(max_examples=50, deadline=None)
@given(st.lists(rows, min_size=1, max_size=5))
def test_writing_and_reading_returns_the_same_table(tmp_path_factory, rows):
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(DTYPES)
    path = tmp_path_factory.mktemp("manifest") / "manifest.csv"
    write_manifest(table, path)
    pd.testing.assert_frame_equal(load_manifest(path), table, check_exact=True)


@pytest.mark.parametrize(
    "content",
    [
        *("", "a,b\n1,2\n", "\xff\xfe"),
        *(",".join(COLUMNS) + "\n" + ",".join([value] * 15) + "\n" for value in ("x", "9" * 400)),
    ],
)
def test_files_that_are_not_manifests_are_rejected(content, tmp_path):
    path = tmp_path / "manifest.csv"
    with pytest.raises(InputError, match="does not exist"):
        load_manifest(path)
    path.write_text(content, encoding="latin-1")
    with pytest.raises(InputError, match="is not a manifest") as caught:
        load_manifest(path)
    assert "\n" not in str(caught.value)


def test_many_skipped_files_are_counted():
    message = describe_skipped({f"{number}.jpg": "truncated" for number in range(23)})
    assert message.startswith("skipped 23 file(s): 0.jpg (truncated), 1.jpg (truncated), ")
    assert message.endswith(" and 3 more")


@pytest.mark.parametrize(
    ("name", "manipulation"),
    [("a/b_unalt.tif", "unaltered"), ("b_manip.tif", "manipulated"), ("b_manip.x.tif", None), ("manip.tif", None)],
)
def test_the_name_of_a_test_patch_says_whether_it_was_manipulated(name, manipulation):
    assert manipulation_from_name(name) == manipulation


def test_the_device_comes_from_exif_or_else_from_the_record_of_collect(folder):
    save(folder / "train" / "a" / "1.JPG", tag_0110="Model a")
    row = dict.fromkeys(RECORD_COLUMNS, "") | {"path": "train/a/1.JPG", "device": "owner 7", "status": "kept"}
    pd.DataFrame([row]).to_csv(folder / "collected.csv", index=False)
    table, _ = read_folder(folder)
    assert table["device"].dropna().to_dict() == {0: "owner 7"}


def test_real_photos(real_photos):
    table, skipped = read_folder(real_photos)
    assert skipped == {}
    assert table["camera"].value_counts().tolist() == [20, 20, 20, 20, 16]
    known = ["make", "model", "f_number", "iso", "exposure_time", "jpeg_quality", "taken_at"]
    assert table[known].notna().all(axis=None)
    assert np.isin(table[["width", "height"]], 1024).all()
