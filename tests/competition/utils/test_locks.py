"""One process at a time holds a lock. Killed owners of this host do not block; other hosts are respected."""

import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from competition.utils.errors import InputError
from competition.utils.locks import LOCK, lock_file, lock_folder

ROOT = Path(__file__).parents[3]
OWNER = """
import sys, time
from competition.utils.locks import lock_folder
with lock_folder(sys.argv[1]):
    print("locked", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def owner(tmp_path):
    """Another process that holds the lock of tmp_path/out."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", OWNER, str(tmp_path / "out")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_second_process_is_told_who_holds_the_lock(owner, tmp_path):
    message = rf"out is in use by process {owner.pid} on .* \(since 2"
    with pytest.raises(InputError, match=message) as error, lock_folder(tmp_path / "out"):
        pass
    assert "\n" not in str(error.value)
    assert owner.poll() is None


def test_lock_of_a_killed_process_does_not_block(owner, tmp_path):
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert (tmp_path / "out" / LOCK).exists()
    with lock_folder(tmp_path / "out"):
        assert json.loads((tmp_path / "out" / LOCK).read_text())["process"] == os.getpid()


def test_lock_of_another_host_is_respected_until_it_is_deleted(tmp_path):
    file = tmp_path / LOCK
    file.write_text(json.dumps({"host": "elsewhere", "process": 7, "since": "2026-01-02 03:04:05"}))
    before = file.read_bytes()
    with pytest.raises(InputError, match=r"locked by process 7 on elsewhere .*delete .*\.lock"), lock_folder(tmp_path):
        pass
    assert file.read_bytes() == before
    file.unlink()
    with lock_folder(tmp_path):
        pass


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b'{"host": 1}', b'{"process": 1}'])
def test_lock_file_that_names_no_owner_is_taken_over(content, tmp_path):
    (tmp_path / LOCK).write_bytes(content)
    with lock_folder(tmp_path), pytest.raises(InputError, match=f"process {os.getpid()} on"), lock_folder(tmp_path):
        pass


def test_folders_that_stay_empty_are_removed(tmp_path):
    with lock_folder(tmp_path / "a" / "b"), lock_file(tmp_path / "a" / "c" / "d.csv"):
        assert (tmp_path / "a" / "b").is_dir()
    assert list(tmp_path.iterdir()) == []
    with lock_file(tmp_path / "a" / "b.csv"):
        (tmp_path / "a" / "b.csv").write_text("x")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b.csv"]


def test_lock_is_released_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), lock_folder(tmp_path):
        raise ZeroDivisionError
    with lock_folder(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_locks_of_two_files_of_a_folder_are_independent(tmp_path):
    with lock_file(tmp_path / "a.csv"), lock_file(tmp_path / "b.csv"):
        assert {path.name for path in tmp_path.iterdir()} == {".a.csv.lock", ".b.csv.lock"}


def test_folder_in_place_of_a_file_is_rejected(tmp_path):
    with pytest.raises(InputError, match="is a folder, expected the name of a file"), lock_file(tmp_path):
        pass


def test_symbolic_link_in_place_of_a_lock_is_not_followed(tmp_path):
    (tmp_path / LOCK).symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"), lock_folder(tmp_path):
        pass
    assert not (tmp_path / "victim").exists()


def test_at_most_one_of_many_holds_the_lock(tmp_path):
    inside = []

    def work(_):
        try:
            with lock_folder(tmp_path / "out"):
                inside.append(1)
                assert sum(inside) == 1
                inside.append(-1)
        except InputError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert any(pool.map(work, range(400)))
    assert list(tmp_path.rglob(LOCK)) == []


def test_temporary_files_of_a_killed_owner_are_removed(owner, tmp_path):
    left = [tmp_path / "out" / ".partial.host.1.a.csv", tmp_path / "out" / "b" / ".partial.host.1.c.csv"]
    left[1].parent.mkdir()
    for file in left:
        file.touch()
    owner.kill()
    owner.wait()
    with lock_folder(tmp_path / "out"):
        assert not any(file.exists() for file in left)


def test_temporary_files_of_others_stay(tmp_path):
    """Without a killed owner, and with an owner of another file."""
    others = tmp_path / ".partial.host.1.a.csv", tmp_path / ".partial.host.2.b.csv"
    for file in others:
        file.touch()
    with lock_folder(tmp_path):
        assert all(file.exists() for file in others)
    (tmp_path / ".a.csv.lock").write_text(json.dumps({"host": socket.gethostname(), "process": 1}))
    with lock_file(tmp_path / "a.csv"):
        assert [file.exists() for file in others] == [False, True]
