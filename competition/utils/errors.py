"""The error that a user can fix. Tested by tests/commands/test_wrong_calls.py."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """The user's input cannot be used.

    The message is one line and says what was received, what was expected and how to fix it. The command line prints
    it as `error: …` and exits with code 2. Every other exception is a bug and keeps its traceback.
    """


def unknown_name(kind: str, name: object, known: Iterable[object]) -> InputError:
    """Return the error of a registry: an unknown `name` of a `kind`, the known names, and the one that is most like it.

    The message is, for example, `unknown preset 'quik'; known: full, quick; did you mean 'quick'?`.
    """
    names = list(map(str, known))
    return InputError(f"unknown {kind} {name!r}; known: {', '.join(names) or 'none'}{suggest(str(name), names)}")


def suggest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'quick'?` for the known name that is most like `name`; "" if none is like it."""
    folded = {other.casefold(): other for other in known}
    close = difflib.get_close_matches(name.casefold(), folded, n=1)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""
