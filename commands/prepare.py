"""The command `prepare`: losslessly crop each photo to its center."""

import argparse
from pathlib import Path

from commands.data_folder import open_folder
from commands.messages import warn
from commands.options import at_least, processes
from commands.paths import output_folder
from commands.program import PROGRAM

HELP = "losslessly crop each photo to its center, so that training reads it faster"
EXAMPLE = f"{PROGRAM} prepare data/photos --out data/prepared"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder or zip archive with train/CAMERA/*.jpg")
    parser.add_argument(
        "--out", type=output_folder, required=True, metavar="DIR2", help="prepared folder, for train --data"
    )
    parser.add_argument(
        "--size",
        type=at_least(1),
        default=1088,
        metavar="PIXELS",
        help="pixels of each side to keep at least; default: 1088, for patches of 512 (twice 512 and a margin)",
    )
    parser.add_argument(
        "--manifest",
        type=Path,
        metavar="FILE.csv",
        help="keep only the photos of a manifest, as doctor --apply writes it",
    )
    parser.add_argument("--jobs", type=processes, default=-1, metavar="N", help="processes; default: one per core")
    parser.add_argument("--cluster", metavar="ADDRESS|local:N", help="use a Dask cluster instead of processes")


def run(args: argparse.Namespace) -> None:
    from competition.manifest import describe_skipped, load_manifest
    from competition.prepare.run import prepare
    from competition.utils.locks import lock_folder
    from competition.utils.parallel import cluster

    folder = open_folder(args.folder)
    only = None
    if args.manifest:
        manifest = load_manifest(args.manifest)
        only = set(manifest.loc[manifest["split"] != "test", "path"])
    with lock_folder(args.out), cluster(args.cluster):
        table, skipped = prepare(folder, args.out, args.size, args.jobs, only)
    if skipped:
        warn(describe_skipped(skipped))
    size = table["bytes"].sum() / 2**20
    print(f"{args.out}: {len(table)} photos, {size:.1f} MiB; next: {PROGRAM} train ensemble --data {args.out}")
