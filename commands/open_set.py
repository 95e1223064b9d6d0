"""The experiment `open-set`: are photos by a camera that a network does not know told from those of the others?

Tested by tests/submissions/experiments/test_open_set.py.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.data_folder import check_folder, open_folder, virtual_folder
from commands.framework import load_framework
from competition.utils.errors import InputError
from competition.utils.locks import lock_folder
from models.members import DCTNET

if TYPE_CHECKING:
    import pandas as pd

NAME = "open-set"
TITLE = "scores of unknown cameras: each camera is left out of the training once"


def run_open_set(args: argparse.Namespace) -> "pd.DataFrame":
    """Run the experiment with the options data, preset, epochs, out and jobs; returns its table."""
    for option in ("member", "seeds"):
        if getattr(args, option) is not None:
            raise InputError(f"--{option} does not apply to {NAME}, which trains {DCTNET} once; remove the option")
    check_folder(args.data)

    from models.presets import find_preset

    preset = args.preset or "quick"
    size = find_preset("camera", preset).virtual_size

    load_framework()
    from submissions.experiments import open_set

    data = open_folder(args.data) if args.data else virtual_folder(size, args.jobs)
    folder = args.out or Path("runs") / f"experiment-{NAME}-{preset}-{data.resolve().name}"
    with lock_folder(folder):
        table = open_set.run_open_set(data, folder, preset, args.epochs, args.jobs)
    print(f"\n{open_set.format_open_set(table)}\n\n{folder / open_set.FILE_NAME}")
    return table
