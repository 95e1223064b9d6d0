"""The command `doctor`: is each photo original, and is it fit for training?"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.options import add_json_option, messages_aside, processes
from commands.paths import output_file
from commands.program import PROGRAM

if TYPE_CHECKING:
    import pandas as pd

HELP = "check each photo: is the file as the camera wrote it, and is it fit for training?"
EXAMPLE = f"{PROGRAM} doctor data/photos --out doctor.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="folder or zip archive with train/CAMERA/*.jpg or CAMERA/*.jpg"
    )
    parser.add_argument(
        "--out",
        type=output_file,
        required=True,
        metavar="FILE.csv",
        help="report with one row per file: verdicts and reasons",
    )
    parser.add_argument(
        "--pixels", action="store_true", help="also decode: find damage, and near duplicates across splits"
    )
    parser.add_argument(
        "--without",
        nargs="+",
        default=[],
        metavar="RULE",
        help="rules to leave out (an unknown name lists all of them)",
    )
    parser.add_argument(
        "--splits", type=Path, metavar="MANIFEST.csv", help="manifest of a run, for its training and validation photos"
    )
    parser.add_argument(
        "--apply", action="store_true", help="also write FILE.manifest.csv, the manifest of the kept files"
    )
    parser.add_argument("--jobs", type=processes, default=-1, metavar="N", help="processes; default: one per core")
    parser.add_argument("--cluster", metavar="ADDRESS|local:N", help="use a Dask cluster instead of processes")
    add_json_option(parser)


def run(args: argparse.Namespace) -> None:
    from competition.doctor.rules import RULES
    from competition.utils.errors import unknown_name
    from competition.utils.tables import json_table

    for name in args.without:
        if name not in RULES:
            raise unknown_name("rule", name, RULES)
    with messages_aside(args.json):
        report = _examine(args)
    if args.json:
        print(json_table(report))


def _examine(args: argparse.Namespace) -> "pd.DataFrame":
    """Write and describe the report, and return it."""
    from competition.archives import unpack_download
    from competition.doctor.rules import RULES
    from competition.doctor.run import examine, kept_manifest, summary
    from competition.manifest import load_manifest, write_manifest
    from competition.utils.atomic_files import write_csv
    from competition.utils.locks import lock_file
    from competition.utils.parallel import cluster

    splits = None
    if args.splits:
        manifest = load_manifest(args.splits)
        splits = dict(zip(manifest["path"], manifest["split"], strict=True))
    rules = [name for name in RULES if name not in args.without]
    folder, messages = unpack_download(args.folder)
    for message in messages:
        print(message)
    with lock_file(args.out), cluster(args.cluster):
        report = examine(folder, rules, pixels=args.pixels, jobs=args.jobs, splits=splits)
        write_csv(report, args.out)
    print(summary(report))
    print(f"\n{args.out}: verdicts and reasons for each file")
    if args.apply:
        manifest_path = args.out.with_suffix(".manifest.csv")
        write_manifest(kept_manifest(report), manifest_path)
        print(f"{manifest_path}: manifest of the kept files")
    return report
