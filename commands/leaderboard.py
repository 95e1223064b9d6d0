"""The command `leaderboard`: compare all runs, or score one in detail. Tested by tests/commands/test_main_job.py."""

import argparse
from pathlib import Path

from commands.program import PROGRAM

HELP = "compare all runs, or score one again, with its accuracy by camera and manipulation"
EXAMPLE = f"{PROGRAM} leaderboard   or   {PROGRAM} leaderboard runs/ensemble-quick-virtual-small"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", type=Path, nargs="?", metavar="RUN", help="folder of a run; default: compare all in runs/"
    )


def run(args: argparse.Namespace) -> None:
    from competition.utils.tables import text_table
    from submissions.leaderboards.compare import compare_runs
    from submissions.leaderboards.score import camera_accuracies, score_run
    from submissions.run import open_run

    if args.run is None:
        print(compare_runs("runs"))
        return
    opened = open_run(args.run)
    print(score_run(opened))
    if opened.task.camera:
        print("\naccuracy of the blend on the validation images, by camera and manipulation:")
        print(text_table(camera_accuracies(opened).reset_index().to_dict("list")))
