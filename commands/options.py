"""Types of options for argparse, which reject invalid values before any work begins, and the option `--json`.

Tested by tests/commands/test_options.py and tests/commands/test_bad_input.py.
"""

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path


def at_least(minimum: int) -> Callable[[str], int]:
    """Return the type of integers that are at least `minimum`."""

    def integer(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = minimum - 1
        if number < minimum:
            raise argparse.ArgumentTypeError(f"received {text!r}, expected a whole number of at least {minimum}")
        return number

    return integer


def positive(text: str) -> float:
    """Convert to a finite number above 0."""
    if not 0 < (number := _number(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"received {text!r}, expected a number above 0")
    return number


def not_negative(text: str) -> float:
    """Convert to a finite number of at least 0."""
    if not 0 <= (number := _number(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"received {text!r}, expected a number of at least 0")
    return number


def probability(text: str) -> float:
    """Convert to a number from 0 to 1."""
    if not 0 <= (number := _number(text)) <= 1:
        raise argparse.ArgumentTypeError(f"received {text!r}, expected a number from 0 to 1")
    return number


def processes(text: str) -> int:
    """Convert to a number of processes for joblib: at least 1, or -1 for one per core."""
    return -1 if text == "-1" else at_least(1)(text)


def names(text: str) -> tuple[str, ...]:
    """Convert names that are separated by commas."""
    return tuple(text.split(","))


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add `--json`, for a command that prints a table.

    Such a command does its work inside `messages_aside(args.json)` and then prints
    `competition.utils.tables.json_table` instead of the table, and nothing else.
    """
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the table as JSON on standard output; all messages go to standard error",
    )


@contextmanager
def messages_aside(aside: bool) -> Iterator[None]:
    """Send what is printed to standard error if `aside`, so that standard output can have a JSON table alone.

    With `--quiet`, it is sent nowhere.
    """
    from competition.utils.progress import is_quiet

    with Path(os.devnull).open("w") as nothing:
        messages = nothing if is_quiet() else sys.stderr
        with redirect_stdout(messages if aside else sys.stdout):
            yield


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
