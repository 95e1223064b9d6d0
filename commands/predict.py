"""`./run.sh predict`: which camera took these photographs, or the predictions that a run still lacks."""

import argparse
from pathlib import Path

from commands.quiet import load_framework

HELP = "say which camera took photographs, or complete a run's own predictions"
EXAMPLE = "./run.sh predict runs/ensemble-quick-virtual-small holiday/ --out cameras.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a run")
    parser.add_argument(
        "photos", type=Path, nargs="*", metavar="PHOTO", help="photographs or folders; default: the run's own"
    )
    parser.add_argument(
        "--manipulated",
        action="store_true",
        help="say that the photographs were recompressed, resized or toned",
    )
    parser.add_argument("--out", type=Path, default=Path("cameras.csv"), metavar="FILE", help="default: cameras.csv")


def run(args: argparse.Namespace) -> None:
    from submissions.run import open_run

    load_framework()

    opened = open_run(args.run)
    if args.photos:
        from competition.manifest import describe_skipped
        from competition.utils.atomic_files import write_csv
        from submissions.predict_photos import predict_photos

        table, skipped = predict_photos(opened, args.photos, args.manipulated)
        write_csv(table, args.out)
        if skipped:
            print(f"warning: {describe_skipped(skipped)}")
        asked = [name for name in opened.targets.classes if name in table]
        print(table[["path", *asked]].head(20).to_string(index=False))
        print(f"\n{args.out}: {len(table)} photographs")
        return

    from submissions.leaderboards.score import score_run
    from submissions.members import predict_member

    for member in opened.recipes:
        predict_member(opened, member)
    print(score_run(opened))
