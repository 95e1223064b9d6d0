"""`./run.sh COMMAND …`: finds the command's module, and turns what a user can mend into one line and exit code 2."""

import argparse
import errno
import os
import sys
from types import ModuleType
from typing import NoReturn

# Before any framework is imported: no start-up chatter, no GPU memory taken in advance, no question to a registry.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

from commands import (
    collect,
    doctor,
    evaluate_splices,
    experiment,
    info,
    inspect,
    leaderboard,
    predict,
    prepare,
    probe,
    splice,
    submit,
    test,
    train,
    virtual,
)
from competition.utils.errors import InputError

COMMANDS: dict[str, ModuleType] = {
    "train": train,
    "predict": predict,
    "submit": submit,
    "leaderboard": leaderboard,
    "inspect": inspect,
    "experiment": experiment,
    "splice": splice,
    "evaluate-splices": evaluate_splices,
    "probe": probe,
    "virtual": virtual,
    "collect": collect,
    "doctor": doctor,
    "prepare": prepare,
    "info": info,
    "test": test,
}

FULL = {errno.ENOSPC, errno.EDQUOT}
UNUSABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}


class _Parser(argparse.ArgumentParser):
    """Says which words it knows in one line, as every other error does."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The command line; each command's module adds its own arguments and an example."""
    main = _Parser(prog="./run.sh", description="Which camera took this photograph?")
    commands = main.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            epilog=f"example: {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
    return main


def main(words: list[str] | None = None) -> int:
    """Run one command; the exit code is 0, or 2 for what the user can mend."""
    line = parser()
    args, unknown = line.parse_known_args(words)
    args.unknown = unknown
    if unknown and COMMANDS[args.command] is not test:  # which hands them on
        line.error(f"unrecognized arguments: {' '.join(unknown)}")
    try:
        return COMMANDS[args.command].run(args) or 0
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno in FULL:
            where = f" while writing {error.filename}" if error.filename else ""
            told = f"the disk is full{where}; free some space and give the same command again"
        elif error.errno in UNUSABLE and error.filename:
            told = f"{error.filename} cannot be used ({error.strerror}); mend the path or its permissions"
        else:
            raise
        print(f"error: {told}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
