"""Archives are unpacked completely and inside the target, or not at all."""

import stat
import zipfile

import pytest

from competition.utils import zip_files
from competition.utils.errors import InputError
from competition.utils.zip_files import MAX_RATIO, unpack_zip


@pytest.fixture
def archive(tmp_path):
    """A function that writes an archive with these members."""

    def make(**members: bytes):
        with zipfile.ZipFile(tmp_path / "data.zip", "w") as opened:
            for name, data in members.items():
                opened.writestr(name, data)
        return tmp_path / "data.zip"

    return make


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_nothing_is_written(folder):
    assert [path.name for path in folder.iterdir()] == ["data.zip"]


def test_members_are_written_with_their_folders(archive, tmp_path):
    members = {"a/b.txt": b"one", "c.txt": b"two", "__MACOSX/a/._b.txt": b"no"}
    assert unpack_zip(archive(**members), tmp_path / "data") == 2
    assert contents(tmp_path / "data") == {"a/b.txt": b"one", "c.txt": b"two"}


@pytest.mark.parametrize("name", ["../x.txt", "a/../../x.txt", "/tmp/x.txt", "..\\x.txt", "C:\\x.txt", "C:/x.txt"])
def test_members_outside_the_target_are_rejected(name, archive, tmp_path):
    path = archive(**{"a.txt": b"one", name: b"two"})
    with pytest.raises(InputError, match=r"outside .*; do not use this archive"):
        unpack_zip(path, tmp_path / "data")
    assert_nothing_is_written(tmp_path)


def test_links_are_rejected(archive, tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = archive(a=b"one")
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr(link, "/etc")
    with pytest.raises(InputError, match="contains the link 'link'"):
        unpack_zip(path, tmp_path / "data")
    assert_nothing_is_written(tmp_path)


def test_bombs_are_rejected_before_anything_is_written(tmp_path):
    with zipfile.ZipFile(tmp_path / "data.zip", "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("zeros", bytes(1_000_000))
    with pytest.raises(InputError, match=f"times its size, expected at most {MAX_RATIO} times for photos"):
        unpack_zip(tmp_path / "data.zip", tmp_path / "data")
    assert_nothing_is_written(tmp_path)


def test_a_member_larger_than_it_states_is_not_written(archive, tmp_path):
    path = archive(a=bytes(1000))
    data = bytearray(path.read_bytes())
    start = data.rindex(b"PK\1\2")  # the central directory states 10 bytes
    data[start + 24 : start + 28] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputError, match="is damaged"):
        unpack_zip(path, tmp_path / "data")
    assert_nothing_is_written(tmp_path)


def test_a_full_disk_is_found_before_anything_is_written(archive, tmp_path, monkeypatch):
    path = archive(a=bytes(1000))
    usage = zip_files.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(zip_files.shutil, "disk_usage", lambda place: usage._replace(free=999))
    with pytest.raises(InputError, match=r"but the disk has 0\.0 GiB free"):
        unpack_zip(path, tmp_path / "data")
    assert_nothing_is_written(tmp_path)


def test_damaged_archives_leave_nothing(archive, tmp_path):
    path = archive(a=b"one" * 100, b=b"two" * 100)
    data = bytearray(path.read_bytes())
    data[60] ^= 1  # of the first member: its checksum is wrong
    path.write_bytes(data)
    with pytest.raises(InputError, match="is not a zip archive or is damaged"):
        unpack_zip(path, tmp_path / "data")
    assert_nothing_is_written(tmp_path)
    path.write_bytes(data[:-10])
    with pytest.raises(InputError, match="is not a zip archive or is damaged"):
        unpack_zip(path, tmp_path / "data")


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_encrypted_repeated_and_missing_members_are_rejected(archive, tmp_path):
    path = archive(a=b"one")
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr("a", b"two")
    with pytest.raises(InputError, match="lists 'a' twice"):
        unpack_zip(path, tmp_path / "data")
    with pytest.raises(InputError, match="is empty"):
        unpack_zip(archive(), tmp_path / "data")
    data = bytearray(archive(a=b"one").read_bytes())
    data[data.rindex(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="is encrypted"):
        unpack_zip(path, tmp_path / "data")


def test_what_a_killed_call_left_behind_is_replaced(archive, tmp_path):
    (tmp_path / ".partial.data").mkdir()
    (tmp_path / ".partial.data" / "half").write_bytes(b"half")
    unpack_zip(archive(a=b"one"), tmp_path / "data")
    assert contents(tmp_path / "data") == {"a": b"one"}
    assert not (tmp_path / ".partial.data").exists()
