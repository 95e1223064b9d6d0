import shutil
from pathlib import Path

import pytest

from commands import data_folder
from commands.data_folder import check_folder, default_preset, open_folder, virtual_folder
from competition.utils.errors import InputError


def test_missing_folder_is_an_error(tmp_path):
    check_folder(None)
    check_folder(tmp_path)
    with pytest.raises(InputError, match="absent does not exist; expected train/<camera>"):
        check_folder(tmp_path / "absent")


@pytest.mark.parametrize(
    ("data", "has_gpu", "preset"),
    [(None, True, "quick"), (Path("photos"), True, "full"), (Path("photos"), False, "quick")],
)
def test_preset_for_photos_on_a_gpu_is_larger(data, has_gpu, preset, monkeypatch):
    monkeypatch.setattr(data_folder, "load_framework", lambda: None)
    monkeypatch.setattr("models.training.backend.has_gpu", lambda: has_gpu)
    assert default_preset(data, on_gpu="full") == preset


def test_virtual_photos_are_made_once_below_the_working_directory(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = virtual_folder("smoke", jobs=1)
    assert folder == Path("data/virtual-smoke")
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.jpg")}
    assert len(times) == 60
    assert virtual_folder("smoke", jobs=1) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.jpg")} == times
    assert capsys.readouterr().out.count("no --data given: using the virtual competition in data/virtual-smoke") == 2


def test_what_the_folder_contains_is_printed(photo_folder, tmp_path, capsys):
    folder = photo_folder(tmp_path / "photos", photos=1, test=1)
    assert open_folder(folder) == folder
    assert capsys.readouterr().out == (
        f"{folder}: 3 camera folders in train, 6 test images in test, sample_submission.csv, solution.csv\n"
    )


def test_an_archive_is_unpacked_beside_itself(photo_folder, tmp_path, capsys):
    folder = photo_folder(tmp_path / "made" / "photos", photos=1)
    archive = Path(shutil.make_archive(str(tmp_path / "kaggle"), "zip", folder.parent, "photos"))
    check_folder(archive)
    with pytest.raises(InputError, match=f"has no folder 'train'; .*, or pass {tmp_path}/kaggle/photos"):
        open_folder(archive)
    assert capsys.readouterr().out == f"{archive}: unpacked 3 files to {tmp_path / 'kaggle'}\n"
