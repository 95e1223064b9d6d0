"""Types of command-line options: they refuse nonsense before any work begins."""

import argparse
import math
from collections.abc import Callable


def at_least(smallest: int) -> Callable[[str], int]:
    """A whole number that is not below `smallest`."""

    def whole_number(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = smallest - 1
        if number < smallest:
            raise argparse.ArgumentTypeError(f"received {text!r}, expected a whole number of at least {smallest}")
        return number

    return whole_number


def positive(text: str) -> float:
    """A finite number above zero."""
    if not 0 < (number := _number(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"received {text!r}, expected a number above 0")
    return number


def not_negative(text: str) -> float:
    """A finite number, zero or above."""
    if not 0 <= (number := _number(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"received {text!r}, expected a number of at least 0")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def processes(text: str) -> int:
    """A number of processes as joblib takes it: 1 or more, or -1 for one a core."""
    if text == "-1":
        return -1
    return at_least(1)(text)
