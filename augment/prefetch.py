"""Compute the next few items of a sequence in background threads."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import joblib

from competition.utils.threads import one_thread

# Cores that this process may use, by its affinity and the quota of its control group. Threads suffice: decoding,
# resizing and JPEG coding release the global interpreter lock.
WORKERS = joblib.cpu_count()

Item = TypeVar("Item")


def prefetch(make: Callable[[int], Item], count: int, threads: int = WORKERS) -> Iterator[Item]:
    """Yield `make(0)`, `make(1)`, …, `make(count - 1)` in order; `threads` threads compute up to `threads` items ahead.

    An exception that `make` raises is raised when its item is due.
    """
    with one_thread(), ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[Item]] = deque()
        for index in range(count):
            pending.append(pool.submit(make, index))
            if len(pending) > threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
