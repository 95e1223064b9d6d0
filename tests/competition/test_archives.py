"""Downloads are unpacked beside themselves once, and messages say where."""

import shutil

import pytest

from competition.archives import unpack_download
from competition.layout import find_layout
from competition.manifest import read_folder


@pytest.fixture
def photos(photo_folder, tmp_path):
    return photo_folder(tmp_path / "photos", photos=2, test=1)


def zipped(folder, *inside):
    """Pack folders or files of `folder` into a temporary archive, remove them, and return its path."""
    archive = shutil.make_archive(str(folder.parent / "packed"), "zip", folder, inside[0] if len(inside) == 1 else None)
    for name in inside:
        shutil.rmtree(folder / name)
    return archive


def paths(folder):
    return read_folder(folder)[0]["path"].tolist()


def test_one_archive_is_unpacked_to_the_folder_of_its_name(photos, tmp_path):
    expected = paths(photos)
    archive = tmp_path / "kaggle.zip"
    shutil.move(zipped(photos), archive)
    folder, messages = unpack_download(archive)
    assert folder == tmp_path / "kaggle"
    assert messages == [f"{archive}: unpacked 14 files to {folder}"]
    assert paths(folder) == expected


def test_a_second_call_uses_what_was_unpacked(photos, tmp_path):
    archive = tmp_path / "kaggle.zip"
    shutil.move(zipped(photos), archive)
    before = archive.read_bytes()
    unpack_download(archive)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "kaggle").rglob("*")}
    assert unpack_download(archive) == (
        tmp_path / "kaggle",
        [f"{archive}: using {tmp_path / 'kaggle'}, which was unpacked earlier"],
    )
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "kaggle").rglob("*")} == times
    assert archive.read_bytes() == before


def test_archives_in_a_folder_may_contain_a_folder_of_their_own_name(photos):
    for name in ("train", "test"):
        shutil.move(zipped(photos, name), photos / f"{name}.zip")
    folder, messages = unpack_download(photos)
    assert folder == photos
    assert [message.rpartition(" ")[2] for message in messages] == [str(photos / "train"), str(photos / "test")]
    layout = find_layout(photos)
    assert (layout.train, layout.test) == (photos / "train" / "train", photos / "test" / "test")
    assert len(paths(photos)) == 12


def test_a_folder_without_archives_is_left_alone(photos):
    before = sorted(photos.rglob("*"))
    assert unpack_download(photos) == (photos, [])
    assert sorted(photos.rglob("*")) == before
