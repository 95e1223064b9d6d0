"""One parallel loop for every job over many files, on the processes of this machine or on a Dask cluster."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import joblib
from tqdm import tqdm

from competition.utils.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 64  # items per task: for headers some 0.1 s of work, so that handing tasks out costs little
PROGRESS_AFTER = 2  # seconds
ANSWER_WITHIN = 10  # seconds: how long a cluster may take to answer
LOCAL = re.compile(r"local:([1-9]\d*)")


def parallel_map(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int, what: str, chunk: int = CHUNK
) -> Iterator[Result]:
    """`function` of each of `items`, in order, computed by `jobs` processes; `what` names the progress bar.

    The work is handed out while results are consumed, so memory holds few of them. `function` must be
    importable (a `functools.partial` of such a one will do). Within `cluster` the cluster's workers compute,
    all of them, whatever `jobs` says; what a worker leaves undone when it dies, another does.
    """
    chunks = (items[start : start + chunk] for start in range(0, len(items), chunk))
    run = joblib.Parallel(n_jobs=jobs, return_as="generator")
    with tqdm(total=len(items), desc=what, delay=PROGRESS_AFTER) as progress:
        for results in run(joblib.delayed(_apply)(function, chunk) for chunk in chunks):
            yield from results
            progress.update(len(results))


@contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Within the block `each` works on a Dask cluster; with None nothing changes.

    `address` is that of a running scheduler, such as `tcp://host:8786`, or `local:N` for N worker processes
    on this machine. Every worker needs this repository on its Python path, and the photographs at the same
    path. Raises `InputError` where Dask is not installed or no worker answers.
    """
    if address is None:
        yield
        return
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise InputError("a cluster needs Dask; install it with pip install -r requirements-cluster.txt") from None
    local = LOCAL.fullmatch(address)
    with ExitStack() as stack:
        try:
            place = address
            if local:
                place = stack.enter_context(
                    LocalCluster(n_workers=int(local[1]), threads_per_worker=1, dashboard_address=None)
                )
            client = stack.enter_context(Client(place, timeout=ANSWER_WITHIN))
            client.wait_for_workers(1, timeout=ANSWER_WITHIN)
        except (OSError, ValueError):  # of which a time-out is one
            raise InputError(
                f"no Dask cluster with workers answers at {address}; expected a scheduler's address such as "
                "tcp://host:8786, or local:N for N processes on this machine"
            ) from None
        stack.enter_context(joblib.parallel_config(backend="dask"))
        yield


def _apply(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [function(item) for item in items]
