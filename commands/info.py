"""`./run.sh info`: what one pastes into a bug report."""

import argparse

from commands.quiet import load_framework

HELP = "backend, devices, versions, free memory and disk: what one pastes into a bug report"
EXAMPLE = "KERAS_BACKEND=jax ./run.sh info"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(args: argparse.Namespace) -> None:
    import json

    from submissions.environment import environment

    load_framework()

    print(json.dumps(environment(), indent=2))
