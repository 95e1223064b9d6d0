"""A file is either complete or unchanged. What killed writers leave is removed by the next owner of the lock."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from competition.utils.atomic_files import atomic_write, read_json, write_bytes, write_csv, write_json
from competition.utils.errors import InputError
from competition.utils.locks import lock_folder

ROOT = Path(__file__).parents[3]
KILLED_WRITER = """
import os, signal, sys
from competition.utils.atomic_files import atomic_write
from competition.utils.locks import lock_folder
with lock_folder(os.path.dirname(sys.argv[1])), atomic_write(sys.argv[1]) as partial:
    partial.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_missing_folder_is_made(tmp_path):
    write_bytes(b"new", tmp_path / "a" / "b" / "file.txt")
    assert (tmp_path / "a" / "b" / "file.txt").read_bytes() == b"new"


def test_the_temporary_file_is_hidden_and_has_the_suffixes_of_its_target(tmp_path):
    with atomic_write(tmp_path / "epoch-1.weights.h5") as partial:
        assert partial.parent == tmp_path
        assert partial.name.startswith(".")
        assert partial.name.endswith(".weights.h5")
        partial.touch()
        assert not (tmp_path / "epoch-1.weights.h5").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-1.weights.h5"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    write_bytes(b"old", path)
    with pytest.raises(ZeroDivisionError), atomic_write(path) as partial:
        partial.write_bytes(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_writer_leaves_the_old_file_and_the_next_owner_of_the_lock_removes_the_rest(tmp_path):
    path = tmp_path / "out" / "file.txt"
    write_bytes(b"old", path)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", KILLED_WRITER, str(path)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    assert len(list(path.parent.iterdir())) == 3
    with lock_folder(path.parent):
        write_bytes(b"new", path)
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_writing_does_not_list_the_folder(tmp_path, monkeypatch):
    def fail(*_):
        raise AssertionError("the folder was listed")

    for function in ("listdir", "scandir"):
        monkeypatch.setattr(os, function, fail)
    write_bytes(b"new", tmp_path / "file.txt")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=20)
@given(json_values)
def test_json_is_the_same_after_writing_and_reading(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "value.json"
    write_json(value, path)
    assert read_json(path) == value


def test_nan_is_not_written_as_json(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json({"loss": float("nan")}, tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"9" * 6000])
def test_damaged_and_missing_json_is_rejected_with_its_name(content, tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(InputError, match=r"a\.json does not exist"):
        read_json(path)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json is not valid JSON"):
        read_json(path)


def test_csv_has_no_index(tmp_path):
    write_csv(pd.DataFrame({"a": [1], "b": ["x"]}), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "a,b\n1,x\n"


def test_many_writers_of_one_file_leave_one_complete_file(tmp_path):
    path = tmp_path / "file.bin"
    code = "import sys; from competition.utils.atomic_files import write_bytes\n"
    code += "for _ in range(300): write_bytes(sys.argv[2].encode() * 10000, sys.argv[1])"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), letter], env=environment) for letter in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert path.read_bytes() in [letter * 10000 for letter in (b"a", b"b", b"c")]
    assert list(tmp_path.iterdir()) == [path]
