"""Command `probe`: linear probe of the frozen embeddings of a run."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.data_folder import check_folder, open_folder
from commands.framework import load_framework
from commands.options import add_json_option, at_least, messages_aside, processes
from commands.paths import run_folder
from commands.program import PROGRAM

if TYPE_CHECKING:
    import pandas as pd

    from submissions.exif_language import ExifRun

HELP = "probe the embeddings of an exif-language run, beside an untrained network and a camera classifier"
EXAMPLE = f"{PROGRAM} probe runs/exif-language-quick-virtual-settings-large --target camera"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=run_folder, metavar="RUN", help="folder of a finished exif-language run")
    parser.add_argument(
        "--target",
        required=True,
        help="what to predict: camera, make, aperture, iso, exposure_time, radial-distortion or authentic",
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of the run's photos; default: where they were in training"
    )
    parser.add_argument(
        "--root", type=Path, metavar="DIR", help="with --target authentic: folder of a data set of splices"
    )
    parser.add_argument(
        "--dataset",
        default="casia1",
        metavar="NAME",
        help="with --target authentic: casia1 (default), casia2 or another data set of evaluate-splices",
    )
    parser.add_argument(
        "--classifier",
        type=run_folder,
        metavar="RUN",
        help="camera classifier to compare with; default: the newest run beside RUN with the same data",
    )
    parser.add_argument("--patches", type=at_least(1), default=1, metavar="N", help="patches of each photo; default: 1")
    parser.add_argument("--seed", type=at_least(0), default=0, help="default: 0")
    parser.add_argument(
        "--jobs",
        type=processes,
        default=-1,
        metavar="N",
        help="processes that choose the regularization; default: one per core",
    )
    add_json_option(parser)


def run(args: argparse.Namespace) -> None:
    check_folder(args.data)
    from submissions.exif_language import open_exif_language
    from submissions.probes.targets import check_target

    check_target(args.target)
    opened = open_exif_language(args.run)
    with messages_aside(args.json):
        table = _probe(opened, args)
    if args.json:
        from competition.utils.tables import json_table

        print(json_table(table))


def _probe(opened: "ExifRun", args: argparse.Namespace) -> "pd.DataFrame":
    """Write and describe the results, and return the scores of each network."""
    data = open_folder(args.data) if args.data else None
    load_framework()
    from submissions.probes.linear_probe import format_probes, probe_run

    table = probe_run(
        opened,
        args.target,
        data,
        args.root,
        args.dataset,
        args.classifier,
        args.patches,
        args.seed,
        args.jobs,
    )
    print(format_probes(table))
    print(f"\n{opened.folder / f'probe-{args.target}.csv'} and .md")
    return table
