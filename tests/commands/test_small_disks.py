"""Outputs on disks that are read-only, too small, or full: one line, exit code 2, and nothing half written.

The disks are real: file systems in memory, which only the process of the command sees. Their sizes are those of pages,
of which each file takes at least one.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from competition.utils.locks import LOCK

ROOT = Path(__file__).parents[2]
NAMESPACE = ["unshare", "--mount", "--map-root-user"]
PAGE = resource.getpagesize()
LISTED = "listed:"


@pytest.fixture
def run_on_disk(photo_folder, tmp_path):
    """A function that runs a command with `disk/` mounted, and returns its exit code, its errors and its files."""
    try:
        allowed = subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", tmp_path], check=False)
    except FileNotFoundError:
        pytest.skip("needs unshare")
    if allowed.returncode:
        pytest.skip("this system does not let users mount file systems")
    photo_folder(tmp_path / "photos", test=1)
    (tmp_path / "disk").mkdir()

    def run(options: str, *words: str) -> tuple[int, str, set[str]]:
        script = f'mount -t tmpfs -o {options} tmpfs disk; "$@"; code=$?; echo {LISTED}; find disk -type f; exit $code'
        done = subprocess.run(
            [*NAMESPACE, "sh", "-c", script, "sh", sys.executable, "-m", "commands", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stderr, set(done.stdout.partition(LISTED)[2].split())

    return run


def test_read_only_disk_is_rejected(run_on_disk):
    code, error, files = run_on_disk("ro", "doctor", "photos", "--out", "disk/doctor.csv")
    assert (code, files) == (2, set())
    assert "disk/doctor.csv cannot be written: no permission for disk; give another path" in error


def test_disk_that_is_certainly_too_small_is_rejected_before_the_first_photo(run_on_disk):
    words = ("prepare", "photos", "--out", "disk/out", "--size", "64", "--jobs", "1")
    code, error, files = run_on_disk(f"size={2 * PAGE}", *words)
    assert (code, files) == (2, set())
    assert error.startswith("error: preparing 21 photos needs about 0.")
    assert error.count("\n") == 1


def test_prepare_on_a_disk_that_becomes_full_leaves_complete_files(run_on_disk):
    words = ("prepare", "photos", "--out", "disk/out", "--size", "64", "--jobs", "1")
    code, error, files = run_on_disk(f"size={40 * PAGE}", *words)
    assert code == 2
    assert error.startswith("error: the disk is full")
    assert error.endswith("; free some space and run the same command again\n")
    assert 0 < len(files) < 21
    assert not [name for name in files if "partial" in name or name.endswith(LOCK)]


def test_report_is_not_half_written_to_a_full_disk(run_on_disk):
    code, error, files = run_on_disk(f"size={PAGE}", "doctor", "photos", "--out", "disk/doctor.csv", "--jobs", "1")
    assert (code, files) == (2, set())
    assert error.startswith("error: the disk is full")
    assert error.count("\n") == 1
