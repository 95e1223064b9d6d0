"""`./run.sh splice`: was all of a photograph taken by one camera, and if not, which part was not?"""

import argparse
from pathlib import Path

from commands.options import at_least
from commands.quiet import load_framework

HELP = "map what does not belong in photographs, with a score for each; needs no labels"
EXAMPLE = "./run.sh splice holiday/ suspicious.jpg --out splices"
METHODS = ("shift", "cut")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTO", help="photographs or folders")
    parser.add_argument(
        "--run", type=Path, metavar="RUN", help="folder of a run of exif-language; default: the last finished in runs"
    )
    parser.add_argument("--out", type=Path, default=Path("splices"), metavar="DIR", help="default: splices")
    add_map_arguments(parser)


def add_map_arguments(parser: argparse.ArgumentParser) -> None:
    """How a photograph is mapped."""
    parser.add_argument(
        "--count", type=at_least(1), default=30, metavar="N", help="patches along the longer side, to 60; default: 30"
    )
    parser.add_argument(
        "--method", choices=METHODS, default="shift", help="mean shift (default) or normalized cuts of the map"
    )


def run(args: argparse.Namespace) -> None:
    load_framework()
    from submissions.splices.detector import load_encoder, newest_run
    from submissions.splices.photos import SCORES, scan_photos

    folder = args.run or newest_run(Path("runs"))
    encoder = load_encoder(folder)
    table, skipped = scan_photos(encoder, args.photos, args.out, args.count, args.method)
    for path, why in skipped.items():
        print(f"skipped {path}: {why}")
    print(table[["path", "score"]].to_string(index=False, float_format="{:.3f}".format))
    print(
        "\nscore: how unlike the patches of a photograph are, from 0 (all alike) to 1 (unrelated). No fixed threshold\n"
        "holds: compare with photographs that you know to be authentic. The maps show the part that fits the rest\n"
        "least, in an authentic photograph as well."
    )
    print(f"\n{args.out}: {SCORES}, and of each of {len(table)} photographs the heat map, the mask and both over it")
    print(f"judged by {folder}")
    if encoder.simulated:
        print(
            "note: it learnt from simulated photographs alone and knows no real camera; "
            "for real ones, train on real ones:\n./run.sh train exif-language --data DIR"
        )
