"""`./run.sh leaderboard`: all runs, or one in detail."""

import argparse
from pathlib import Path

HELP = "compare all runs, or score one again and show where it is right"
EXAMPLE = "./run.sh leaderboard   or   ./run.sh leaderboard runs/ensemble-quick-virtual-small"


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
        print("\naccuracy of the blend on validation, per manipulation and camera:")
        print(text_table(camera_accuracies(opened).reset_index().to_dict("list")))
