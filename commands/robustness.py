"""The experiment `robustness` of the command `experiment`: accuracy of runs on altered images.

Tested by tests/commands/test_experiment.py.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.framework import load_framework
from commands.program import PROGRAM
from competition.utils.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

NAME = "robustness"
TITLE = "accuracy of a run's cameras under recompression, scale, noise, blur and crops"
USAGE = f"{PROGRAM} experiment {NAME} RUN [RUN2]"
MAX_RUNS = 2


def run_robustness(args: argparse.Namespace) -> "pd.DataFrame":
    """Run the experiment with the options runs, split and out; returns its table."""
    if not 1 <= len(args.runs) <= MAX_RUNS:
        raise InputError(f"{NAME} compares one or two runs, received {len(args.runs)}; give {USAGE}")
    from submissions.run import open_run

    runs = [open_run(folder) for folder in args.runs]

    load_framework()
    from competition.utils.atomic_files import write_csv
    from submissions.experiments.robustness import describe_images, format_robustness, measure_robustness
    from submissions.experiments.robustness_plot import draw_robustness
    from submissions.reports.figures import save_figure

    table, left_out = measure_robustness(runs, args.split or "validation")
    names = "-".join(run.folder.name for run in runs)
    folder = args.out or Path("runs") / f"experiment-{NAME}-{names}"
    write_csv(table, folder / f"{NAME}.csv")
    description = describe_images(runs[0], args.split or "validation", table)
    print(description)
    print(format_robustness(table))
    if left_out:
        print(f"left out, because a member needs larger patches: {', '.join(left_out)}")
    plots = save_figure(draw_robustness(table, description, 1 / len(runs[0].cameras)), folder / NAME)
    for path in (folder / f"{NAME}.csv", *plots):
        print(path)
    return table
