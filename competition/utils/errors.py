"""The one error a user can mend."""


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message is one line and says what was received, what was expected and how to mend it. The front door
    prints it as `error: …` and exits with code 2; every other exception is a bug and keeps its traceback.
    """


def unknown_name(kind: str, name: object, known: object) -> InputError:
    """The error of a registry: an unknown `name` of a `kind`, and the known names."""
    return InputError(f"unknown {kind} {name!r}; known: {', '.join(map(str, known))}")  # type: ignore[call-overload]
