from types import SimpleNamespace

import pytest

from competition.utils.errors import InputError
from competition.utils.free_space import GIB, check_disk, check_memory


def test_work_that_does_not_fit_on_the_disk_is_rejected(tmp_path, monkeypatch):
    free = {tmp_path: 2 * GIB}
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free[path]))
    new = tmp_path / "new" / "folder"
    check_disk(new, 2 * GIB, "training")
    message = rf"^training needs about 2\.5 GiB on the disk of {new}, which has 2\.0 GiB free; free some space"
    with pytest.raises(InputError, match=message):
        check_disk(new, 2.5 * GIB, "training")
    assert not new.exists()


def test_the_disk_of_a_relative_folder_is_that_of_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=GIB if path == tmp_path else 0))
    check_disk(tmp_path.relative_to(tmp_path) / "new", GIB, "training")


def test_work_that_does_not_fit_into_memory_is_rejected(monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=3 * GIB))
    check_memory(3 * GIB, "training")
    with pytest.raises(InputError, match=r"^training needs about 4\.0 GiB of memory, of which 3\.0 GiB are available"):
        check_memory(4 * GIB, "training")
