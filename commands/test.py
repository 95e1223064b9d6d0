"""The command `test`: run the tests of a clone. Tested by tests/commands/test_bad_input.py."""

import argparse
import subprocess
import sys
from pathlib import Path

from commands.program import PROGRAM
from competition.utils.errors import InputError

HELP = "run the tests of a clone; passes all arguments on to pytest, with paths relative to the repository"
EXAMPLE = f"{PROGRAM} test -m 'not slow'"
# One process per core, at most 4, because every process needs its own session fixtures and about 1 GiB of memory.
PARALLEL = ("-n", "logical", "--maxprocesses", "4", "--dist", "loadfile")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = f"{PROGRAM} test [-h] [ARGUMENT OF PYTEST …]"


def run(args: argparse.Namespace) -> int:
    root = Path(__file__).resolve().parents[1]
    if not (root / "pyproject.toml").is_file():
        raise InputError("the tests are not installed; clone the repository and run ./run.sh test")
    # A new process, because this one has imported modules whose coverage may be measured.
    return subprocess.run([sys.executable, "-m", "pytest", *PARALLEL, *args.unknown], cwd=root, check=False).returncode
