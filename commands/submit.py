"""The command `submit`: a submission from cached predictions. Tested by tests/commands/test_main_job.py."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.kaggle_client import submit_to_kaggle
from commands.options import add_json_option, at_least, messages_aside
from commands.paths import output_file, run_folder
from commands.program import PROGRAM
from competition.utils.errors import InputError, unknown_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from submissions.run import Run

DEFAULT_BLEND, NO_BALANCE = "quadratic", "none"
HELP = "write a checked submission.csv from the predictions of a run, with any blend and balance"
EXAMPLE = f"{PROGRAM} submit runs/ensemble-quick-virtual-small --blend geometric --balance exact"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=run_folder, metavar="RUN", help="folder of a run, or its name in runs/")
    parser.add_argument(
        "--blend",
        default=DEFAULT_BLEND,
        metavar="KIND",
        help="arithmetic, quadratic (default) or geometric; or fitted to validation predictions: optimized (weights), "
        "selection or stacking",
    )
    parser.add_argument(
        "--balance",
        default=NO_BALANCE,
        metavar="METHOD",
        help="of the classes: none (default), greedy, exact, soft or prior",
    )
    parser.add_argument(
        "--quota",
        type=at_least(1),
        metavar="N",
        help="images of each camera among the unaltered and among the manipulated images; "
        "default: quotas.csv in the data folder, else equal shares",
    )
    parser.add_argument(
        "--with",
        dest="others",
        type=run_folder,
        nargs="+",
        default=[],
        metavar="RUN",
        help="also blend the members of these runs, which need the same data and the same validation images or folds",
    )
    parser.add_argument(
        "--fingerprints",
        action="store_true",
        help="let test images with the same sensor noise, which are probably by one device, agree on a camera",
    )
    parser.add_argument("--check", type=Path, metavar="FILE", help="write no file; check the submission in FILE")
    parser.add_argument(
        "--out",
        type=output_file,
        metavar="FILE",
        help="default: in the folder of the run, submission.csv or for example submission-geometric-exact.csv",
    )
    parser.add_argument("--force", action="store_true", help="replace another submission in the file")
    parser.add_argument(
        "--kaggle",
        metavar="MESSAGE",
        help="also submit the checked file to the competition with the official kaggle client, or, if it is not "
        "installed, print the command",
    )
    add_json_option(parser)


def run(args: argparse.Namespace) -> None:
    from competition.utils.tables import json_table, text_table
    from submissions.balancing import METHODS as BALANCINGS
    from submissions.blend_weights import METHODS
    from submissions.blending import KINDS
    from submissions.leaderboards.blends import describe_gain
    from submissions.run import open_run
    from submissions.submission_csv import check_submission, describe_quotas, read_expected_names
    from submissions.submit import submit_camera

    if args.blend not in (*KINDS, *METHODS):
        raise unknown_name("blend", args.blend, (*KINDS, *METHODS))
    if args.balance not in BALANCINGS:
        raise unknown_name("balancing", args.balance, BALANCINGS)
    if args.quota is not None and args.balance in ("none", "prior"):
        raise InputError("--quota only applies with --balance greedy, exact or soft; remove it or choose one of these")
    opened = open_run(args.run)
    if args.kaggle and (opened.data / "virtual.json").exists():
        raise InputError(f"the test set of {args.run} is simulated, Kaggle would reject it; remove --kaggle")
    if args.check:
        table = check_submission(args.check, opened.cameras, read_expected_names(opened.data))
        print(f"{args.check}: {len(table)} images, a valid submission")
        if args.kaggle:
            submit_to_kaggle(args.check, args.kaggle)
        return
    path = args.out or args.run / _file_name(args)
    if args.fingerprints and path.exists() and not args.force:  # before the images are compared, which takes seconds
        raise InputError(f"{path} already exists; give --force to replace it, or another file with --out")
    others = [open_run(folder) for folder in args.others]
    with messages_aside(args.json):
        links = _link_test_images(opened) if args.fingerprints else None
        table = submit_camera(opened, path, args.blend, args.balance, args.quota, others, args.force, links)
        counts = describe_quotas(table["camera"], table["is_manipulated"])
        print(text_table(counts.to_dict("list")))
        if args.blend in METHODS:
            print(f"\n{describe_gain([opened, *others], args.blend)}")
        print(f"\n{path}: {len(table)} images, checked; blend {args.blend}, balance {args.balance}")
        if args.kaggle:
            submit_to_kaggle(path, args.kaggle)
    if args.json:
        print(json_table(counts))


def _link_test_images(opened: "Run") -> "NDArray[np.bool_]":
    """Find the test images with the same sensor noise, and print how many there are."""
    from submissions.fingerprints.pull import link_images
    from submissions.leaderboards.fingerprints import describe_gain

    if "test" not in opened.images:
        raise InputError(f"the data {opened.data} has no test folder, so there is nothing to submit")
    links = link_images([opened.data / path for path in opened.images["test"]["path"]], jobs=-1)
    print(f"{(links.sum(axis=1) > 1).sum()} of {len(links)} test images share the sensor noise of others")
    for line in describe_gain(opened, links):
        print(line)
    return links


def _file_name(args: argparse.Namespace) -> str:
    """The default name of the file, which differs between blends and balancings."""
    parts = ["submission", *([args.blend] if args.blend != DEFAULT_BLEND else [])]
    parts += ["fingerprints"] if args.fingerprints else []
    parts += [args.balance] if args.balance != NO_BALANCE else []
    return f"{'-'.join([*parts, *(f'with-{folder.name}' for folder in args.others)])}.csv"
