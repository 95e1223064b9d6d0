"""Experiments of the command `experiment` on cameras: they train on virtual competitions of their own.

Tested by tests/submissions/experiments/test_validation.py and tests/submissions/experiments/test_recipe.py.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.framework import load_framework
from competition.utils.errors import InputError
from models.members import DCTNET, check_member

if TYPE_CHECKING:
    import pandas as pd

VALIDATION, RECIPE = "validation", "recipe"
TITLES = {
    VALIDATION: "whether the out-of-fold score predicts the private score, on several virtual competitions",
    RECIPE: "what options of training are worth, one at a time, on several virtual competitions",
}
SEEDS = 10
PRESET = "quick"


def run_camera_experiment(args: argparse.Namespace) -> "pd.DataFrame":
    """Run the experiment `args.name`, one of `TITLES`; prints and returns its table."""
    for option in ("data", "epochs"):
        if getattr(args, option) is not None:
            raise InputError(f"--{option} does not apply to {args.name}, which simulates its photos; remove the option")
    member = args.member or DCTNET
    check_member(member)
    load_framework()

    from competition.utils.tables import text_table
    from submissions.experiments import recipe, validation

    folder = args.out or Path("runs") / f"experiment-{args.name}"
    options = folder, args.preset or PRESET, member, args.seeds or SEEDS, args.jobs
    if args.name == VALIDATION:
        table = validation.run_validation(*options)
        columns, line = validation.describe_validation(table)
        print(f"\n{text_table(columns)}\n\n{line}\n{folder / validation.FILE_NAME}")
    else:
        table = recipe.run_recipe(*options)
        columns = recipe.describe_recipe(table)
        print(f"\n{text_table(columns)}\n\nprivate images, simulated\n{folder / recipe.FILE_NAME}")
    return table
