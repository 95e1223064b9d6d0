"""`./run.sh test`: the test suite."""

import argparse

HELP = "run the tests; words behind it go to pytest"
EXAMPLE = "./run.sh test -m 'not slow'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "./run.sh test [-h] [what pytest takes …]"


def run(args: argparse.Namespace) -> int:
    import pytest

    return int(pytest.main(args.unknown))
