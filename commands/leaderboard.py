"""The command `leaderboard`: compare all runs, or score one in detail. Tested by tests/commands/test_main_job.py."""

import argparse

from commands.options import add_json_option, messages_aside
from commands.paths import RUNS, run_folder
from commands.program import PROGRAM

HELP = "compare all runs, or score one, with its accuracy by camera and manipulation; writes nothing"
EXAMPLE = f"{PROGRAM} leaderboard   or   {PROGRAM} leaderboard ensemble-quick-virtual-small"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run",
        type=run_folder,
        nargs="?",
        metavar="RUN",
        help="folder of a run, or its name in runs/; default: compare all runs",
    )
    add_json_option(parser)


def run(args: argparse.Namespace) -> None:
    from submissions.run import open_run

    opened = None if args.run is None else open_run(args.run)

    from competition.utils.tables import json_table, text_table
    from submissions.leaderboards.compare import compare_runs, read_leaderboards
    from submissions.leaderboards.score import camera_accuracies, leaderboard_rows, score_run

    if args.json:
        with messages_aside(True):
            rows = read_leaderboards(RUNS) if opened is None else leaderboard_rows(opened)
        print(json_table(rows))
    elif opened is None:
        print(compare_runs(RUNS))
    else:
        print(score_run(opened, write=False))
        if opened.task.camera:
            print("\naccuracy of the blend on the validation images, by camera and manipulation:")
            print(text_table(camera_accuracies(opened).reset_index().to_dict("list")))
