"""The error that a user can fix. Tested by tests/commands/test_bad_input.py."""

from collections.abc import Iterable


class InputError(ValueError):
    """The user's input cannot be used.

    The message is one line and says what was received, what was expected and how to fix it. The command line prints
    it as `error: …` and exits with code 2. Every other exception is a bug and keeps its traceback.
    """


def unknown_name(kind: str, name: object, known: Iterable[object]) -> InputError:
    """Return the error of a registry: an unknown `name` of a `kind`, and the known names."""
    return InputError(f"unknown {kind} {name!r}; known: {', '.join(map(str, known))}")
