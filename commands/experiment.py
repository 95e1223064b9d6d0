"""Command `experiment`: repeat the experiments of Laurence & Murphy (2018) on camera settings."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.camera_experiments import TITLES as CAMERA_EXPERIMENTS
from commands.camera_experiments import run_camera_experiment
from commands.data_folder import check_folder, open_folder, virtual_folder
from commands.framework import load_framework
from commands.open_set import NAME as OPEN_SET
from commands.open_set import TITLE as OPEN_SET_TITLE
from commands.open_set import run_open_set
from commands.options import add_json_option, at_least, messages_aside, processes
from commands.paths import output_folder, run_folder
from commands.program import PROGRAM
from commands.robustness import NAME as ROBUSTNESS
from commands.robustness import TITLE as ROBUSTNESS_TITLE
from commands.robustness import run_robustness
from competition.utils.errors import InputError, unknown_name
from models.members import SETTINGSNET, check_member
from submissions.experiments.laurence_murphy import EXPERIMENTS

if TYPE_CHECKING:
    import pandas as pd

OF_SETTINGS = ("data", "preset", "member", "seeds", "epochs")  # options of the experiments on camera settings
HELP = "repeat an experiment of Laurence & Murphy (2018) on camera settings, or measure the robustness of a run"
EXAMPLE = f"{PROGRAM} experiment output-format --preset quick"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    width = max(map(len, EXPERIMENTS))
    lines = [f"  {name:{width}}  {experiment.title}" for name, experiment in EXPERIMENTS.items()]
    lines += [f"  {name:{width}}  {title}" for name, title in CAMERA_EXPERIMENTS.items()]
    others = {OPEN_SET: OPEN_SET_TITLE, ROBUSTNESS: ROBUSTNESS_TITLE}
    lines += [f"  {name:{width}}  {title}" for name, title in others.items()]
    parser.description = "\n".join([f"{HELP}:", "", *lines])
    parser.add_argument("name", metavar="NAME", help="one of the experiments above")
    parser.add_argument(
        "runs",
        type=run_folder,
        nargs="*",
        metavar="RUN",
        help=f"with {ROBUSTNESS}: a run, and a second run to compare with it",
    )
    parser.add_argument(
        "--split",
        choices=("validation", "test"),
        help=f"with {ROBUSTNESS}: the validation photos (default), or the unaltered test images of a known solution",
    )
    parser.add_argument("--preset", metavar="NAME", help="default: quick (an unknown name lists all presets)")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with train/<camera>/*.jpg with EXIF; default: virtual cameras"
    )
    parser.add_argument(
        "--member",
        help="the network, unless the experiment varies it; default: se_resnet18 with --preset paper, as in the paper, "
        f"else {SETTINGSNET}, which trains in minutes",
    )
    parser.add_argument(
        "--seeds", type=at_least(1), metavar="N", help="number of trainings of each variant; default: 1"
    )
    parser.add_argument(
        "--epochs", type=at_least(1), metavar="N", help="epochs of each training; default: the preset's"
    )
    parser.add_argument(
        "--out", type=output_folder, metavar="DIR", help="folder of the results; default: runs/experiment-NAME-…"
    )
    parser.add_argument(
        "--jobs", type=processes, default=-1, metavar="N", help="processes that read photos; default: one per core"
    )
    add_json_option(parser)


def run(args: argparse.Namespace) -> None:
    with messages_aside(args.json):
        table = _run(args)
    if args.json:
        from competition.utils.tables import json_table

        print(json_table(table))


def _run(args: argparse.Namespace) -> "pd.DataFrame":
    """Run the experiment `args.name`; prints and returns its table."""
    if args.name == ROBUSTNESS:
        given = [option for option in OF_SETTINGS if getattr(args, option) is not None]
        if given:
            raise InputError(f"--{given[0]} does not apply to {ROBUSTNESS}; remove the option")
        return run_robustness(args)
    if args.name not in (*EXPERIMENTS, *CAMERA_EXPERIMENTS, OPEN_SET):
        raise unknown_name("experiment", args.name, (*EXPERIMENTS, *CAMERA_EXPERIMENTS, OPEN_SET, ROBUSTNESS))
    if args.runs or args.split:
        raise InputError(f"runs and --split only apply to {ROBUSTNESS}; remove them")
    if args.name == OPEN_SET:
        return run_open_set(args)
    if args.name in CAMERA_EXPERIMENTS:
        return run_camera_experiment(args)
    experiment = EXPERIMENTS[args.name]
    check_folder(args.data)

    from models.presets import find_preset

    preset_name = args.preset or "quick"
    preset = find_preset("settings", preset_name)
    member = args.member or preset.experiment_member
    check_member(member)

    load_framework()
    import pandas as pd

    from submissions.experiments.run import Plan, run_experiment

    data = open_folder(args.data) if args.data else virtual_folder(preset.virtual_size, args.jobs)
    folder = args.out or Path("runs") / f"experiment-{args.name}-{preset_name}"
    plan = Plan(experiment, data, folder, preset_name, member, args.seeds or 1, args.epochs)
    written = run_experiment(plan, args.jobs)
    print()
    print((folder / "table.md").read_text())
    for path in written:
        print(path)
    return pd.read_csv(folder / "table.csv")
