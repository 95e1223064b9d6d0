"""Messages beside the results of a command; warnings go to stderr. Tested by tests/commands/test_messages.py."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

WARNING = "warning: "


def warn(text: str) -> None:
    """Print a warning to standard error."""
    print(f"{WARNING}{text}", file=sys.stderr)


def print_messages(messages: Iterable[str]) -> None:
    """Print lines such as those of `submissions.run.start_run`: warnings to standard error, the others as usual."""
    for message in messages:
        print(message, file=sys.stderr if message.startswith(WARNING) else sys.stdout)


@contextmanager
def quiet(keep_output: bool) -> Iterator[None]:
    """Show no progress within the block, and print nothing to standard output unless `keep_output`.

    Warnings and errors are still printed, and files are written as usual.
    """
    from competition.utils.progress import QUIET

    before = os.environ.get(QUIET)
    os.environ[QUIET] = "1"
    try:
        with Path(os.devnull).open("w") as nothing, redirect_stdout(sys.stdout if keep_output else nothing):
            yield
    finally:
        if before is None:
            del os.environ[QUIET]
        else:
            os.environ[QUIET] = before
