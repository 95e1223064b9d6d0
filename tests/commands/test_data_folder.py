from pathlib import Path

import pytest

from commands import data_folder
from commands.data_folder import check_folder, default_preset, virtual_folder
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
