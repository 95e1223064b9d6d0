"""The command `prepare`: keep the middle of each photograph, lose nothing."""

import argparse
from pathlib import Path

from commands.options import at_least, processes
from commands.program import PROGRAM

HELP = "cut the center out of each photograph, without loss: training reads it much faster"
EXAMPLE = f"{PROGRAM} prepare data/photos --out data/prepared"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `prepare`."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="photographs, as DIR/train/CAMERA/*.jpg")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR2", help="the prepared folder, for train --data")
    parser.add_argument(
        "--size",
        type=at_least(1),
        default=1088,
        metavar="PIXELS",
        help="keep at least so much of each side; default: 1088, for patches of 512 (twice theirs and a margin of 40)",
    )
    parser.add_argument("--manifest", type=Path, metavar="FILE.csv", help="only these; doctor --apply writes one")
    parser.add_argument("--jobs", type=processes, default=-1, metavar="N", help="processes; default: one a core")
    parser.add_argument("--cluster", metavar="ADDRESS|local:N", help="work on a Dask cluster instead")


def run(args: argparse.Namespace) -> None:
    """Prepare, and say how much is left."""
    from competition.manifest import describe_skipped, load_manifest
    from competition.prepare.run import prepare
    from competition.utils.parallel import cluster

    only = None
    if args.manifest:
        manifest = load_manifest(args.manifest)
        only = set(manifest.loc[manifest["split"] != "test", "path"])
    with cluster(args.cluster):
        table, skipped = prepare(args.folder, args.out, args.size, args.jobs, only)
    if skipped:
        print(f"warning: {describe_skipped(skipped)}")
    size = table["bytes"].sum() / 2**20
    print(f"{args.out}: {len(table)} photographs, {size:.1f} MiB; next: {PROGRAM} train ensemble --data {args.out}")
