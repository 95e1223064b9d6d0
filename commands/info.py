"""The command `info`: the environment, for bug reports. Tested by tests/commands/test_main_job.py."""

import argparse

from commands.framework import load_framework
from commands.program import PROGRAM

HELP = "print backend, devices, versions, free memory and disk, for bug reports"
EXAMPLE = f"KERAS_BACKEND=jax {PROGRAM} info"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(args: argparse.Namespace) -> None:
    import json

    from submissions.environment import environment

    load_framework()
    print(json.dumps(environment(), indent=2))
