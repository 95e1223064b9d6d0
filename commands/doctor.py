"""The command `doctor`: is each photograph what it claims?"""

import argparse
from pathlib import Path

from commands.options import processes
from commands.program import PROGRAM

HELP = "examine photographs: is each one an original of the camera that its folder names?"
EXAMPLE = f"{PROGRAM} doctor data/photos --out doctor.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `doctor`."""
    parser.add_argument("folder", type=Path, help="photographs, as DIR/train/CAMERA/*.jpg or DIR/CAMERA/*.jpg")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.csv", help="one row per file: verdict, reason")
    parser.add_argument("--pixels", action="store_true", help="also decode: damage, and look-alikes across splits")
    parser.add_argument(
        "--without",
        nargs="+",
        default=[],
        metavar="RULE",
        help="switch rules off (a wrong name lists all of them)",
    )
    parser.add_argument("--splits", type=Path, metavar="MANIFEST.csv", help="a run's manifest: what validates there")
    parser.add_argument(
        "--apply", action="store_true", help="also write the manifest of what is kept, FILE.manifest.csv"
    )
    parser.add_argument("--jobs", type=processes, default=-1, metavar="N", help="processes; default: one a core")
    parser.add_argument("--cluster", metavar="ADDRESS|local:N", help="work on a Dask cluster instead")


def run(args: argparse.Namespace) -> None:
    """Examine, write, summarize."""
    from competition.doctor.rules import RULES
    from competition.doctor.run import examine, kept, summary
    from competition.manifest import load_manifest, write_manifest
    from competition.utils.atomic_files import write_csv
    from competition.utils.errors import unknown_name
    from competition.utils.parallel import cluster

    for name in args.without:
        if name not in RULES:
            raise unknown_name("rule", name, RULES)
    splits = None
    if args.splits:
        manifest = load_manifest(args.splits)
        splits = dict(zip(manifest["path"], manifest["split"], strict=True))
    rules = [name for name in RULES if name not in args.without]
    with cluster(args.cluster):
        examined = examine(args.folder, rules, pixels=args.pixels, jobs=args.jobs, splits=splits)
    write_csv(examined, args.out)
    print(summary(examined))
    print(f"\n{args.out}: a verdict and reason for each file")
    if args.apply:
        manifest_path = args.out.with_suffix(".manifest.csv")
        write_manifest(kept(examined), manifest_path)
        print(f"{manifest_path}: the manifest of what is kept")
