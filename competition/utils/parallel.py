"""Parallel map over many files, on the processes of this machine or on a Dask cluster."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import joblib

from competition.utils.errors import InputError
from competition.utils.progress import progress_bar

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 64  # items per task: about 0.1 s of work for headers, so that scheduling costs little
PROGRESS_DELAY = 2  # seconds
CONNECT_TIMEOUT = 10  # seconds
LOCAL_ADDRESS = re.compile(r"local:([1-9]\d*)")


def parallel_map(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int, title: str, chunk: int = CHUNK
) -> Iterator[Result]:
    """Yield `function(item)` of each item, in order, computed in parallel.

    Tasks are submitted while results are consumed, so few results are in memory. Within `cluster`, all workers of the
    cluster compute, whatever `jobs` is. The tasks of a worker that dies are given to another.

    Args:
        function: importable, or a `functools.partial` of an importable function.
        items: arguments of `function`.
        jobs: number of processes, -1 for one per core.
        title: of the progress bar.
        chunk: items per task.
    """
    chunks = (items[start : start + chunk] for start in range(0, len(items), chunk))
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator")
    with progress_bar(title, len(items), "item", delay=PROGRESS_DELAY) as progress:
        for results in parallel(joblib.delayed(_apply)(function, chunk) for chunk in chunks):
            yield from results
            progress.update(len(results))


@contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Run `parallel_map` on a Dask cluster within the block. With None, nothing changes.

    Every worker needs this repository on its Python path, and the photos at the same path.

    Args:
        address: of a running scheduler, such as `tcp://host:8786`, or `local:N` for N worker processes on this machine.

    Raises:
        InputError: Dask is not installed, or no worker can be reached.
    """
    if address is None:
        yield
        return
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise InputError("a cluster needs Dask; install it with pip install -r requirements-cluster.txt") from None
    local = LOCAL_ADDRESS.fullmatch(address)
    with ExitStack() as stack:
        try:
            scheduler = address
            if local:
                scheduler = stack.enter_context(
                    LocalCluster(n_workers=int(local[1]), threads_per_worker=1, dashboard_address=None)
                )
            client = stack.enter_context(Client(scheduler, timeout=CONNECT_TIMEOUT))
            client.wait_for_workers(1, timeout=CONNECT_TIMEOUT)
        except (OSError, ValueError):  # TimeoutError is an OSError
            raise InputError(
                f"no Dask cluster with workers answers at {address}; expected a scheduler's address such as "
                "tcp://host:8786, or local:N for N processes on this machine"
            ) from None
        stack.enter_context(joblib.parallel_config(backend="dask"))
        yield


def _apply(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [function(item) for item in items]
