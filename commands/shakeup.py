"""Command `shakeup`: simulate the change from the public to the private leaderboard."""

import argparse

from commands.options import add_json_option, at_least, messages_aside
from commands.paths import output_file, run_folder
from commands.program import PROGRAM

HELP = "simulate public and private leaderboards: chance to keep a lead, change of rank, which two entries to select"
EXAMPLE = f"{PROGRAM} shakeup runs/ensemble-quick-virtual-small"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", type=run_folder, nargs="+", metavar="RUN", help="folders of runs on the same data")
    parser.add_argument(
        "--draws", type=at_least(1), default=10_000, metavar="N", help="number of simulated splits; default: 10000"
    )
    parser.add_argument("--seed", type=at_least(0), default=0, help="of the simulation; default: 0")
    parser.add_argument(
        "--out", type=output_file, metavar="FILE", help="also write the numbers of all entries to a CSV file"
    )
    add_json_option(parser)


def run(args: argparse.Namespace) -> None:
    from submissions.run import open_run

    runs = [open_run(folder) for folder in args.runs]

    from competition.utils.atomic_files import write_csv
    from competition.utils.tables import json_table
    from submissions.leaderboards.shakeup import format_shakeup, simulate_runs

    with messages_aside(args.json):
        shakeup = simulate_runs(runs, args.draws, args.seed)
        print(format_shakeup(shakeup))
        if args.out:
            write_csv(shakeup.table(), args.out)
            print(f"\n{args.out}: {len(shakeup.entries)} entries")
    if args.json:
        print(json_table(shakeup.table()))
