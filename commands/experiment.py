"""Command `experiment`: repeat the experiments of Laurence & Murphy (2018) on camera settings."""

import argparse
from pathlib import Path

from commands.data_folder import check_folder, virtual_folder
from commands.framework import load_framework
from commands.options import at_least, processes
from commands.program import PROGRAM
from models.members import STATNET, check_member
from submissions.experiments.laurence_murphy import EXPERIMENTS, find_experiment

HELP = "repeat an experiment of Laurence & Murphy (2018) on camera settings and compare with the paper"
EXAMPLE = f"{PROGRAM} experiment output-format --preset quick"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    width = max(map(len, EXPERIMENTS))
    lines = [f"  {name:{width}}  {experiment.title}" for name, experiment in EXPERIMENTS.items()]
    parser.description = "\n".join([f"{HELP}:", "", *lines])
    parser.add_argument("name", metavar="NAME", help="one of the experiments above")
    parser.add_argument(
        "--preset", default="quick", metavar="NAME", help="default: quick (an unknown name lists all presets)"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with train/<camera>/*.jpg with EXIF; default: virtual cameras"
    )
    parser.add_argument(
        "--member",
        help="the network, unless the experiment varies it; default: se_resnet18 with --preset paper, as in the paper, "
        f"else {STATNET}, which trains in minutes",
    )
    parser.add_argument(
        "--seeds", type=at_least(1), default=1, metavar="N", help="number of trainings of each variant; default: 1"
    )
    parser.add_argument(
        "--epochs", type=at_least(1), metavar="N", help="epochs of each training; default: the preset's"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the results; default: runs/experiment-NAME-PRESET"
    )
    parser.add_argument(
        "--jobs", type=processes, default=-1, metavar="N", help="processes that read photos; default: one per core"
    )


def run(args: argparse.Namespace) -> None:
    experiment = find_experiment(args.name)
    check_folder(args.data)

    from models.presets import find_preset

    preset = find_preset("settings", args.preset)
    member = args.member or preset.experiment_member
    check_member(member)

    load_framework()
    from submissions.experiments.run import Plan, run_experiment

    data = args.data or virtual_folder(preset.virtual_size, args.jobs)
    folder = args.out or Path("runs") / f"experiment-{args.name}-{args.preset}"
    plan = Plan(experiment, data, folder, args.preset, member, args.seeds, args.epochs)
    written = run_experiment(plan, args.jobs)
    print()
    print((folder / "table.md").read_text())
    for path in written:
        print(path)
