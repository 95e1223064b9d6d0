"""Command `splice`: detect whether parts of a photo were taken by another camera, and which.

Tested by tests/commands/test_splices.py.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.framework import load_framework
from commands.messages import warn
from commands.options import add_json_option, at_least, messages_aside
from commands.paths import RUNS, output_folder, run_folder
from commands.program import PROGRAM
from competition.utils.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

HELP = "detect and localize splices in photos; needs no labels"
EXAMPLE = f"{PROGRAM} splice holiday/ suspicious.jpg --out splices"
METHODS = ("shift", "cut")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTO", help="photos or folders")
    parser.add_argument(
        "--run",
        type=run_folder,
        metavar="RUN",
        help="folder of an exif-language run, or its name in runs/; default: the one that finished last",
    )
    parser.add_argument(
        "--out",
        type=output_folder,
        default=Path("splices"),
        metavar="DIR",
        help="folder of the results; default: splices",
    )
    add_map_arguments(parser)
    add_json_option(parser)


def add_map_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the heat map."""
    parser.add_argument(
        "--count",
        type=at_least(1),
        default=30,
        metavar="N",
        help="patches along the longer side, at most 60; default: 30",
    )
    parser.add_argument(
        "--method",
        choices=METHODS,
        default="shift",
        help="localization: mean shift (default) or normalized cuts",
    )


def run(args: argparse.Namespace) -> None:
    from submissions.exif_language import open_exif_language
    from submissions.splices.detector import check_count, find_newest_run

    folder = args.run or find_newest_run(RUNS)
    open_exif_language(folder)  # raises InputError before the framework is loaded
    check_count(args.count)
    if not any(path.exists() for path in args.photos):
        raise InputError(
            f"none of the {len(args.photos)} photos or folders exists, such as {args.photos[0]}; check the paths"
        )
    with messages_aside(args.json):
        table = _detect(folder, args)
    if args.json:
        from competition.utils.tables import json_table

        print(json_table(table))


def _detect(folder: Path, args: argparse.Namespace) -> "pd.DataFrame":
    """Write the results of all photos, describe them, and return their scores."""
    load_framework()
    from competition.utils.tables import terminal_width, text_table
    from submissions.splices.calibration import describe
    from submissions.splices.detector import load_encoder
    from submissions.splices.photos import SCORES_FILE, scan_photos

    encoder = load_encoder(folder)
    table, skipped = scan_photos(encoder, args.photos, args.out, args.count, args.method)
    for path, reason in skipped.items():
        warn(f"skipped {path}: {reason}")
    print(text_table(table[["path", "score", "verdict"]].to_dict("list"), width=terminal_width()))
    if encoder.calibration is not None:
        print(f"\n{describe(encoder.calibration, table)}")
    print(f"\n{args.out}: {SCORES_FILE}, and the heat map, mask and overlay of each of {len(table)} photos")
    print(f"detected by the run {folder}")
    if encoder.simulated:
        print(
            "note: this run was trained on simulated photos only. For real photos, train on real photos:\n"
            f"{PROGRAM} train exif-language --data DIR"
        )
    return table
