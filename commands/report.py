"""Command `report`: write the report of a run and its model card."""

import argparse

from commands.framework import load_framework
from commands.paths import run_folder
from commands.program import PROGRAM

HELP = "write a run's report.html (one file with all scores, charts, evidence maps and photos) and its model card"
EXAMPLE = f"{PROGRAM} report runs/ensemble-quick-virtual-small"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=run_folder, metavar="RUN", help="folder of a run that has predictions")


def run(args: argparse.Namespace) -> None:
    from submissions.run import open_run

    opened = open_run(args.run)
    load_framework()
    from submissions.reports.report import write_report

    for path in write_report(opened):
        print(path)
