"""The option `--print-completion`: a script that completes commands, options, names and paths in a shell.

Tested by tests/commands/test_completion.py.
"""

import argparse
from pathlib import Path
from typing import Any, NoReturn

from commands.parser import Parser
from commands.paths import output_file, output_folder, run_folder
from competition.utils.errors import InputError

SHELLS = ("bash", "zsh")
FOLDERS = ("DIR", "RUN")  # metavars


class PrintCompletion(argparse.Action):
    """Print the script of shtab for a shell."""

    def __init__(self, option_strings: list[str], dest: str, **options: Any) -> None:
        help_text = "print a script that completes commands, options and names; see docs/command-line.md"
        super().__init__(option_strings, dest, choices=SHELLS, metavar="bash|zsh", help=help_text)

    def __call__(self, parser: Any, namespace: object, shell: Any, option: object = None) -> NoReturn:
        try:
            import shtab
        except ImportError:
            raise InputError(
                "--print-completion needs the package shtab; run pip install -r requirements.txt"
            ) from None
        name_values(parser)
        for command in parser.commands.values():
            for action in command._actions:
                if action.type in (output_folder, run_folder) or (action.type is Path and action.metavar in FOLDERS):
                    action.complete = shtab.DIRECTORY
                elif action.type in (Path, output_file):
                    action.complete = shtab.FILE
        print(shtab.complete(parser, shell))
        raise SystemExit(0)


def name_values(parser: Parser) -> None:
    """Give the options whose values are names the known names as choices, to complete them."""
    from models.members import ENSEMBLE, EXIF_LANGUAGE, MEMBERS
    from models.presets import PRESETS
    from submissions.blending import KINDS
    from submissions.tasks import TASKS

    known = {
        "what": [*dict.fromkeys(["ensemble", EXIF_LANGUAGE, *ENSEMBLE, *MEMBERS])],
        "--preset": sorted({name for _, name in PRESETS}),
        "--task": TASKS,
        "--blend": KINDS,
    }
    for command in parser.commands.values():
        for action in command._actions:
            for name in (*action.option_strings, action.dest):
                action.choices = known.get(name, action.choices)
