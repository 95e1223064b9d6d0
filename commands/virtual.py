"""The command `virtual`: photographs by cameras that do not exist."""

import argparse
from pathlib import Path

from commands.options import at_least, processes
from commands.program import PROGRAM

HELP = "make the virtual competition: simulated photographs by ten virtual cameras, with a hidden solution"
EXAMPLE = f"{PROGRAM} virtual --size small --sheet contact-sheet.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--size",
        default="small",
        help="smoke: for tests; small (default): 700 training photographs of about 640×480, 400 test patches of 128 "
        "pixels; full: as many as in the real competition, 2640 test patches of 512 pixels",
    )
    parser.add_argument(
        "--splices",
        action="store_true",
        help="make pictures of which a part is by another camera instead, with masks, and as many authentic ones: "
        "4 of each (smoke), 40 (small), 200 (full)",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: data/virtual-SIZE, or data/splices-SIZE")
    parser.add_argument("--seed", type=at_least(0), default=0, help="default: 0")
    parser.add_argument("--jobs", type=processes, default=-1, metavar="N", help="processes; default: one a core")
    parser.add_argument("--cluster", metavar="ADDRESS|local:N", help="work on a Dask cluster instead")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="also draw a contact sheet")


def run(args: argparse.Namespace) -> None:
    if args.splices:
        _make_splices(args)
        return
    from augment.manipulations import cut_test_patch, source_size
    from competition.utils.parallel import cluster
    from competition.virtual.contact_sheet import contact_sheet
    from competition.virtual.make_competition import find_size, make_competition

    folder = args.out or Path("data") / f"virtual-{args.size}"
    with cluster(args.cluster):
        make_competition(folder, find_size(args.size), args.seed, cut_test_patch, source_size, args.jobs)
    print(f"{folder}: simulated photographs; next: {PROGRAM} train ensemble --data {folder}")
    if args.sheet:
        contact_sheet(folder, args.sheet)
        print(f"contact sheet: {args.sheet}")


def _make_splices(args: argparse.Namespace) -> None:
    from competition.utils.errors import InputError
    from competition.utils.parallel import cluster
    from competition.virtual.make_splices import find_size, make_splices

    if args.sheet:
        raise InputError("--sheet draws the virtual competition; leave it out with --splices")
    folder = args.out or Path("data") / f"splices-{args.size}"
    with cluster(args.cluster):
        table = make_splices(folder, find_size(args.size), args.seed, args.jobs)
    spliced = int(table["donor_camera"].notna().sum())
    print(
        f"{folder}: {spliced} spliced and {len(table) - spliced} authentic pictures, simulated, in the general layout"
    )
