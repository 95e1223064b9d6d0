"""Command `inspect`: draw figures of a run."""

import argparse

from commands.paths import output_folder, run_folder
from commands.program import PROGRAM

HELP = "draw a run: best and worst photos, settings, contact sheet, confusion matrices, reliability diagrams"
EXAMPLE = f"{PROGRAM} inspect runs/se_resnet18-settings-quick-virtual-settings"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=run_folder, metavar="RUN", help="folder of a run that has predictions")
    parser.add_argument("--out", type=output_folder, metavar="DIR", help="folder of the figures; default: RUN/figures")


def run(args: argparse.Namespace) -> None:
    from submissions.run import open_run

    opened = open_run(args.run)

    from submissions.reports.inspect_run import draw_run

    for path in draw_run(opened, args.out or opened.folder / "figures"):
        print(path)
