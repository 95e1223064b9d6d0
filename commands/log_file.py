"""The log of a run: what a command prints, with the time of every line. Tested by tests/commands/test_log_file.py."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO, cast

from competition.utils.errors import InputError

LOG = "log.txt"


class _Copy:
    """A text stream that also writes its finished lines to a log. Of a progress bar, only the last state is kept."""

    def __init__(self, stream: TextIO, log: TextIO) -> None:
        self._stream, self._log, self._line = stream, log, ""

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            write_line(self._log, line)
        self._line = _last_state(self._line)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def write_line(log: TextIO, line: str) -> None:
    """Append a line with the current time to a log, unless it is empty."""
    if text := _last_state(line).strip():
        log.write(f"{datetime.now().astimezone().isoformat(' ', 'seconds')}  {text}\n")
        log.flush()


def _last_state(line: str) -> str:
    """What a terminal shows of a line: each carriage return begins it again."""
    return line.rstrip("\r").rpartition("\r")[2]


@contextmanager
def log_file(folder: Path, title: str) -> Iterator[None]:
    """Append `title`, and what the block prints to standard output and standard error, to `log.txt` in a folder.

    An error that leaves the block is logged, too, with its traceback if the user cannot fix it.
    """
    with (folder / LOG).open("a", encoding="utf-8") as log:
        write_line(log, title)
        try:
            out, err = (cast(TextIO, _Copy(stream, log)) for stream in (sys.stdout, sys.stderr))
            with redirect_stdout(out), redirect_stderr(err):
                yield
        except BaseException as error:
            text = f"error: {error}" if isinstance(error, InputError) else traceback.format_exc()
            for line in text.splitlines():
                write_line(log, line)
            raise
