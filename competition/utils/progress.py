"""Progress of long work: a bar on a terminal, and one line at the end where standard error is a file or a pipe.

The variable `TQDM_DISABLE`, which `--quiet` sets, hides both. A process that another one watches also writes its
progress to the file that the variable `PROGRESS_FILE` names, see `read_progress`.
"""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from competition.utils.atomic_files import write_json

QUIET = "TQDM_DISABLE"
PROGRESS_FILE = "PROGRESS_FILE"
SHORT = 2.0  # seconds: work that takes less needs no line
INTERVAL = 0.5  # seconds between two states in the file

Item = TypeVar("Item")


@dataclass(frozen=True)
class State:
    """How far a process is: `done` of `total` units of the work called `title`, without those of earlier processes."""

    title: str
    done: int
    total: int
    unit: str


class Progress:
    """The progress of one piece of work. Made by `progress_bar`."""

    def __init__(self, bar: tqdm, title: str, total: int | None, unit: str) -> None:
        self.bar, self.title, self.total, self.unit = bar, title, total, unit
        self.done = 0
        self._written = float("-inf")
        self._write()

    def update(self, count: int = 1) -> None:
        """Add finished units."""
        self.done += count
        self.bar.update(count)
        self._write()

    def show(self, **values: str) -> None:
        """Show values behind the bar."""
        self.bar.set_postfix(values)

    def _write(self) -> None:
        path, now = os.environ.get(PROGRESS_FILE), time.monotonic()
        if path and (now - self._written >= INTERVAL or self.done == self.total):
            write_progress(State(self.title, self.done, self.total or 0, self.unit), path)
            self._written = now


@contextmanager
def progress_bar(
    title: str, total: int | None, unit: str, done: int = 0, delay: float = 0.0, leave: bool = True
) -> Iterator[Progress]:
    """Show the progress of the work inside the block.

    Args:
        title: of the work.
        total: number of units; None if it is not known.
        unit: their name in the singular.
        done: units that an earlier process has finished.
        delay: seconds after which the bar appears.
        leave: whether the finished bar stays on the terminal.
    """
    start = time.monotonic()
    with tqdm(total=total, initial=done, desc=title, unit=unit, delay=delay, leave=leave, disable=hide_bars()) as bar:
        progress = Progress(bar, title, None if total is None else total - done, unit)
        yield progress
    seconds = time.monotonic() - start
    if leave and seconds >= SHORT and not is_quiet() and not sys.stderr.isatty():
        plural = "" if progress.done == 1 else "es" if unit.endswith("ch") else "s"
        count = f"{progress.done} {unit}{plural}"
        print(f"{title}: {count} in {format_duration(seconds)}", file=sys.stderr, flush=True)


def with_progress(items: Iterable[Item], title: str, total: int, unit: str) -> Iterator[Item]:
    """Yield the items and show how many are finished."""
    with progress_bar(title, total, unit) as progress:
        for item in items:
            yield item
            progress.update()


def is_quiet() -> bool:
    """Return whether the user wants to see no progress."""
    return bool(os.environ.get(QUIET))


def hide_bars() -> bool | None:
    """Return the argument `disable` of tqdm: hide bars if quiet, and where standard error is no terminal."""
    return True if is_quiet() else None


def write_progress(state: State, path: str | Path) -> None:
    """Write how far this process is for the one that watches it."""
    write_json(asdict(state), path)


def read_progress(path: Path) -> State | None:
    """Return the last state that a process wrote to its `PROGRESS_FILE`; None if it has not written any."""
    try:
        return State(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None


def format_duration(seconds: float) -> str:
    """Return `45 s`, `12 min` or `3 h 05 min`."""
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
