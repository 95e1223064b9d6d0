"""`./run.sh experiment`: the paper's tables on camera settings, measured here."""

import argparse
from pathlib import Path

from commands.data_folder import check_folder, virtual_folder
from commands.options import at_least, processes
from commands.quiet import load_framework
from models.backbones import STEM
from submissions.experiments.laurence_murphy import EXPERIMENTS, find_experiment

HELP = "repeat an experiment of Laurence & Murphy (2018) on camera settings, beside the paper's numbers"
EXAMPLE = "./run.sh experiment output-format --preset quick"
LISTED = ("quick", "smoke", "paper")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    width = max(map(len, EXPERIMENTS))
    lines = [f"  {name:{width}}  {experiment.title}" for name, experiment in EXPERIMENTS.items()]
    parser.description = "\n".join([f"{HELP}:", "", *lines])
    parser.add_argument("name", metavar="NAME", help="an experiment of the list above")
    parser.add_argument("--preset", choices=LISTED, default="quick", help="default: quick")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="train/<camera>/*.jpg with EXIF; default: virtual cameras"
    )
    parser.add_argument(
        "--member",
        help="the network, where it is not what varies; default: se_resnet18, as in the paper, for the preset paper, "
        "else stem, which is trained in minutes",
    )
    parser.add_argument(
        "--seeds", type=at_least(1), default=1, metavar="N", help="trainings of each variant; default: 1"
    )
    parser.add_argument("--epochs", type=at_least(1), metavar="N", help="default: the preset's")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: runs/experiment-NAME-PRESET")
    parser.add_argument(
        "--jobs", type=processes, default=-1, metavar="N", help="processes that read photographs; default: one a core"
    )


def run(args: argparse.Namespace) -> None:
    experiment = find_experiment(args.name)
    check_folder(args.data)

    load_framework()
    from submissions.experiments.run import Plan, carry_out

    member = args.member or ("se_resnet18" if args.preset == "paper" else STEM)
    data = args.data or virtual_folder(args.preset, True, args.jobs)
    folder = args.out or Path("runs") / f"experiment-{args.name}-{args.preset}"
    plan = Plan(experiment, data, folder, args.preset, member, args.seeds, args.epochs)
    written = carry_out(plan, args.jobs)
    print()
    print((folder / "table.md").read_text())
    for path in written:
        print(path)
