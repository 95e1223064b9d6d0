"""`prefetch` keeps the order, bounds the work ahead, and passes exceptions on."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from augment.prefetch import prefetch


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_items_come_in_order_although_later_ones_finish_first(count, threads):
    def make(index):
        time.sleep(0.002 * (index % 2 == 0))
        return index

    assert list(prefetch(make, count, threads)) == list(range(count))


def test_items_are_computed_ahead_by_at_most_the_number_of_threads():
    started, second = [], threading.Event()

    def make(index):
        started.append(index)
        if index == 1:
            second.set()
        return index

    items = prefetch(make, 100, threads=2)
    assert next(items) == 0
    assert second.wait(timeout=30)  # item 1 is computed although it has not been requested
    items.close()  # type: ignore[attr-defined]
    assert set(started) <= {0, 1, 2}


def test_an_exception_is_raised_when_its_item_is_due():
    def make(index):
        return 1 // (2 - index)

    items = prefetch(make, 5, threads=4)
    assert [next(items), next(items)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(items)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes have no affinity on this system")
def test_workers_are_the_cores_that_the_process_may_use():
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); from augment import prefetch as p"
    command = [sys.executable, "-c", f"{code}; import sys; print(sys.modules['augment.prefetch'].WORKERS)"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
