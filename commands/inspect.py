"""`./run.sh inspect`: a run in pictures."""

import argparse
from pathlib import Path

HELP = "draw a run: best and worst photographs, settings space, contact sheet, confusion and reliability"
EXAMPLE = "./run.sh inspect runs/se_resnet18-settings-quick-virtual-settings"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a run that has predictions")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: RUN/figures")


def run(args: argparse.Namespace) -> None:
    from submissions.reports.inspect_run import draw_run
    from submissions.run import open_run

    opened = open_run(args.run)
    for path in draw_run(opened, args.out or opened.folder / "figures"):
        print(path)
