"""The command `predict`: the cameras of photos, or the missing predictions of a run.

Tested by tests/commands/test_main_job.py.
"""

import argparse
from pathlib import Path

from commands.framework import load_framework
from commands.options import at_least
from commands.program import PROGRAM

HELP = "predict which camera took photos, or compute the missing predictions of a run"
EXAMPLE = f"{PROGRAM} predict runs/ensemble-quick-virtual-small holiday/ --out cameras.csv"
PRINTED_ROWS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a run")
    parser.add_argument(
        "photos",
        type=Path,
        nargs="*",
        metavar="PHOTO",
        help="photos or folders; default: the validation and test images of the run",
    )
    parser.add_argument(
        "--manipulated",
        action="store_true",
        help="the photos were recompressed, resized or gamma-corrected after the camera wrote them",
    )
    parser.add_argument(
        "--patches",
        type=at_least(1),
        metavar="N",
        help="patches of each photo to look at; default: 4",
    )
    parser.add_argument("--out", type=Path, default=Path("cameras.csv"), metavar="FILE", help="default: cameras.csv")


def run(args: argparse.Namespace) -> None:
    from submissions.run import open_run

    opened = open_run(args.run)

    load_framework()
    if args.photos:
        from competition.manifest import describe_skipped
        from competition.utils.atomic_files import write_csv
        from competition.utils.tables import text_table
        from submissions.predict_photos import MIN_EVIDENCE, PATCHES, predict_photos

        table, skipped = predict_photos(opened, args.photos, args.manipulated, args.patches or PATCHES)
        write_csv(table, args.out)
        if skipped:
            print(f"warning: {describe_skipped(skipped)}")
        shown = [name for name in (*opened.targets.classes, "probability", "patches") if name in table]
        print(text_table(table[["path", *shown]].head(PRINTED_ROWS).to_dict("list")))
        little = table.loc[table["evidence"] < MIN_EVIDENCE, "path"]
        if len(little):
            print(
                f"warning: {len(little)} photos are almost flat or saturated, such as {little.iloc[0]}: "
                "their predictions are little more than guesses"
            )
        print(f"\n{args.out}: {len(table)} photos")
        return

    from submissions.leaderboards.score import score_run
    from submissions.members import predict_member

    for member in opened.recipes:
        predict_member(opened, member)
    print(score_run(opened))
