"""Every item gives one result, in order: in one process, in several, and on a cluster where a worker dies."""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from competition.prepare.run import prepare
from competition.utils.errors import InputError
from competition.utils.parallel import cluster, parallel_map

COUNT = 120  # photos


def square(number: int) -> int:
    return number * number


@pytest.mark.parametrize(("count", "jobs"), [(0, 1), (1, 1), (7, 1), (7, 2)])
def test_results_come_in_order(count, jobs):
    assert list(parallel_map(square, range(count), jobs, "numbers", chunk=3)) == [number**2 for number in range(count)]


def test_a_cluster_without_dask_is_rejected(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install -r requirements-cluster\.txt"), cluster("local:2"):
        pass


def test_without_an_address_the_cluster_is_not_used():
    with cluster(None):
        assert list(parallel_map(square, range(3), 1, "numbers")) == [0, 1, 4]


@pytest.mark.parametrize("address", ["local:0", "nowhere", "tcp://127.0.0.1:9"])
def test_an_unreachable_cluster_is_rejected(address, monkeypatch):
    pytest.importorskip("distributed", reason="Dask is not installed (requirements-cluster.txt)")
    monkeypatch.setattr("competition.utils.parallel.CONNECT_TIMEOUT", 0.2)
    with pytest.raises(InputError, match=f"answers at {address}; expected"), cluster(address):
        pass


@pytest.mark.slow
def test_one_of_two_workers_is_killed(tmp_path):
    """No result is lost or repeated, and the files equal those of one process."""
    distributed = pytest.importorskip("distributed", reason="Dask is not installed (requirements-cluster.txt)")
    photos, out, alone = (tmp_path / name for name in ("photos", "out", "alone"))
    pixels = np.random.default_rng(0).integers(0, 256, (500, 500, 3), dtype=np.uint8)
    for number in range(COUNT):
        path = photos / "train" / "ab"[number % 2] / f"{number:03}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(pixels, number)).save(path, quality=95)

    with cluster("local:2"):
        workers = distributed.get_client().run(os.getpid)
        assert len(set(workers.values()) - {os.getpid()}) == 2
        with ThreadPoolExecutor() as threads:
            found = threads.submit(_kill_after_a_quarter, min(workers.values()), out / "train")
            table, skipped = prepare(photos, out, 300)
    assert COUNT / 4 <= found.result() < COUNT
    assert not skipped
    assert table["path"].tolist() == sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.jpg"))
    expected, _ = prepare(photos, alone, 300)
    pd.testing.assert_frame_equal(table, expected)
    assert contents(out) == contents(alone)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _kill_after_a_quarter(process: int, folder: Path) -> int:
    """Kill a process when a quarter of the files exists. Returns the number of files at that time."""
    until = time.monotonic() + 60
    while (found := len(list(folder.glob("*/[!.]*")))) < COUNT / 4 and time.monotonic() < until:
        time.sleep(0.002)
    os.kill(process, signal.SIGKILL)
    return found
