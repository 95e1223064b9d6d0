"""The parser of a command: errors in one line, with the name that the user may have meant.

Tested by tests/commands/test_wrong_calls.py.
"""

import argparse
from typing import Any, NoReturn

from competition.utils.errors import suggest, unknown_name


class Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line, without the usage.

    Attributes:
        commands: the parsers of the commands by name.
        source: the file that the arguments come from, for errors; "" for the command line.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands: dict[str, Parser] = {}
        self.source = ""

    def error(self, message: str) -> NoReturn:
        where = f"{self.source}: " if self.source else ""
        self.exit(2, f"error: {where}{message} (see {self.prog} --help)\n")

    def unrecognized(self, words: list[str]) -> NoReturn:
        """Report arguments that are not known."""
        option = next((word.partition("=")[0] for word in words if word.startswith("-")), "")
        self.error(f"unrecognized arguments: {' '.join(words)}{suggest(option, self.options)}")

    @property
    def options(self) -> list[str]:
        """The names of the options, such as `--seed`."""
        return [name for action in self._actions for name in action.option_strings]

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Report a value that is not among the choices of an argument as registries do, with a suggestion.

        The method is private to argparse, but all versions from 3.11 to 3.14 call it for options, positional arguments
        and commands.
        """
        if action.choices is not None and value not in action.choices:
            kind = "/".join(action.option_strings) or str(action.metavar).lower()
            raise argparse.ArgumentError(None, str(unknown_name(kind, value, action.choices)))
