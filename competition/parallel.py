"""One parallel loop for every job over many files."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import joblib
from tqdm import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 64  # items per task: for headers some 0.1 s of work, so that handing tasks out costs little
PROGRESS_FROM = 1000


def each(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int, what: str, chunk: int = CHUNK
) -> Iterator[Result]:
    """`function` of each of `items`, in order, computed by `jobs` processes; `what` names the progress bar.

    The work is handed out while results are consumed, so memory holds few of them. `function` must be
    importable (a `functools.partial` of such a one will do).
    """
    chunks = [items[start : start + chunk] for start in range(0, len(items), chunk)]
    run = joblib.Parallel(n_jobs=jobs, return_as="generator")
    with tqdm(total=len(items), desc=what, disable=len(items) <= PROGRESS_FROM) as progress:
        for results in run(joblib.delayed(_apply)(function, chunk) for chunk in chunks):
            yield from results
            progress.update(len(results))


def _apply(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [function(item) for item in items]
