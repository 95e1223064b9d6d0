"""The command line. Tested by tests/commands/test_bad_input.py and tests/test_packaging.py.

Runs the module of a command. An error that the user can fix becomes one line and exit code 2.
"""

import argparse
import errno
import os
import sys
from contextlib import nullcontext
from types import ModuleType
from typing import NoReturn

# Before a framework is imported: no start-up messages, no GPU memory allocated in advance, no look-up of new versions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

from commands import (
    app,
    collect,
    doctor,
    evaluate_splices,
    experiment,
    export,
    fingerprint,
    info,
    inspect,
    leaderboard,
    predict,
    prepare,
    probe,
    report,
    shakeup,
    splice,
    submit,
    test,
    train,
    virtual,
)
from commands.completion import PrintCompletion
from commands.config_file import is_run, read_config_file, set_defaults
from commands.messages import quiet
from commands.parser import Parser
from commands.program import PROGRAM
from competition.utils.errors import InputError

COMMANDS: dict[str, ModuleType] = {
    "train": train,
    "predict": predict,
    "submit": submit,
    "leaderboard": leaderboard,
    "shakeup": shakeup,
    "inspect": inspect,
    "report": report,
    "app": app,
    "experiment": experiment,
    "export": export,
    "splice": splice,
    "fingerprint": fingerprint,
    "evaluate-splices": evaluate_splices,
    "probe": probe,
    "virtual": virtual,
    "collect": collect,
    "doctor": doctor,
    "prepare": prepare,
    "info": info,
    "test": test,
}

DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
UNUSABLE_PATH = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}


class _Version(argparse.Action):
    """The option `--version`: print the version, and the commit if the code is in a git checkout."""

    def __init__(self, option_strings: list[str], dest: str, **options: object) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version, and the git commit of a clone")

    def __call__(self, parser: argparse.ArgumentParser, *args: object) -> NoReturn:
        from competition import __version__
        from submissions.environment import git_commit

        commit = git_commit()
        print(f"camera-competition {__version__}{f' (commit {commit})' if commit else ''}")
        parser.exit()


def make_parser() -> Parser:
    """Make the parser. The module of each command adds its own arguments and an example."""
    parser = Parser(prog=PROGRAM, description="Camera model identification: which camera took this photo?")
    parser.add_argument("--version", action=_Version)
    parser.add_argument("--print-completion", action=PrintCompletion)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            epilog=f"example: {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        if module is not test:  # which passes its options on to pytest
            command.add_argument("--quiet", action="store_true", help="print only warnings, errors and --json tables")
    parser.commands = commands.choices
    return parser


def main(words: list[str] | None = None) -> int:
    """Run one command.

    Args:
        words: the command line without the program; None for that of this process.

    Returns:
        The exit code: 0, 2 for an error that the user can fix, 130 if the user interrupted the command.
    """
    try:
        args = _parse(words)
        with quiet(getattr(args, "json", False)) if getattr(args, "quiet", False) else nullcontext():
            return COMMANDS[args.command].run(args) or 0
    except InputError as error:
        message = str(error)
    except OSError as error:
        if error.errno in DISK_FULL:
            where = f" while writing {error.filename}" if error.filename else ""
            message = f"the disk is full{where}; free some space and run the same command again"
        elif error.errno in UNUSABLE_PATH and error.filename:
            message = f"{error.filename} cannot be used ({error.strerror}); correct the path or its permissions"
        else:
            raise
    except KeyboardInterrupt:
        print("\ninterrupted; run the same command again to continue", file=sys.stderr)
        return 130
    shown = "".join(each if each.isprintable() else repr(each)[1:-1] for each in message)  # names may contain newlines
    print(f"error: {shown}", file=sys.stderr)
    return 2


def _parse(words: list[str] | None) -> argparse.Namespace:
    """Parse the command line, after the file of its option `--config` if it has one."""
    parser = make_parser()
    args, unknown = parser.parse_known_args(words)
    if getattr(args, "config", None) is not None:
        values = read_config_file(args.config)
        if not is_run(values):
            set_defaults(parser.commands[args.command], values, args.config)
            args, unknown = parser.parse_known_args(words)
    if unknown and COMMANDS[args.command] is not test:
        parser.commands[args.command].unrecognized(unknown)
    args.unknown, args.words = unknown, sys.argv[1:] if words is None else words
    return args


def start() -> int:
    """Run the command of this process: the entry point of the program `camera` and of `python -m commands`."""
    os.environ["PYTHONSAFEPATH"] = "1"  # worker processes do not import a models.py of the user's folder
    return main()


if __name__ == "__main__":
    sys.exit(start())
