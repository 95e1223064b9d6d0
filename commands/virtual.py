"""The command `virtual`: simulate photos by ten virtual cameras."""

import argparse
from pathlib import Path

from commands.options import at_least, processes
from commands.paths import output_file, output_folder
from commands.program import PROGRAM

HELP = "make the virtual competition: simulated photos by ten virtual cameras, with a solution"
EXAMPLE = f"{PROGRAM} virtual --size small --sheet contact-sheet.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `virtual`."""
    parser.add_argument(
        "--size",
        default="small",
        help="smoke: for tests; small (default): 240 training photos of about 1540×1150 pixels, 280 test patches of "
        "512 pixels; full: 2750 photos and 2640 patches, as in the real competition; settings: whole photos by several "
        "devices, to predict settings; settings-large: twice as many; settings-smoke: a few for tests",
    )
    parser.add_argument(
        "--splices",
        action="store_true",
        help="make spliced images (a region is from another camera) with masks, and as many authentic images, instead: "
        "4 of each (smoke), 40 (small), 200 (full), 400 (large)",
    )
    parser.add_argument(
        "--out", type=output_folder, metavar="DIR", help="default: data/virtual-SIZE, or data/splices-SIZE"
    )
    parser.add_argument("--seed", type=at_least(0), default=0, help="default: 0")
    parser.add_argument(
        "--jobs", type=processes, default=-1, metavar="N", help="number of processes; default: one per core"
    )
    parser.add_argument("--cluster", metavar="ADDRESS|local:N", help="run on a Dask cluster")
    parser.add_argument("--sheet", type=output_file, metavar="FILE.png", help="also write a contact sheet")


def run(args: argparse.Namespace) -> None:
    """Simulate the competition or the splices, and print where they are."""
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
    print(f"{folder}: simulated photos; next: {PROGRAM} train ensemble --data {folder}")
    if args.sheet:
        contact_sheet(folder, args.sheet)
        print(f"contact sheet: {args.sheet}")


def _make_splices(args: argparse.Namespace) -> None:
    from competition.utils.errors import InputError
    from competition.utils.parallel import cluster
    from competition.virtual.make_splices import find_size, make_splices

    if args.sheet:
        raise InputError("--sheet does not apply to --splices; leave one of them out")
    folder = args.out or Path("data") / f"splices-{args.size}"
    with cluster(args.cluster):
        table = make_splices(folder, find_size(args.size), args.seed, args.jobs)
    spliced = int(table["donor_camera"].notna().sum())
    print(f"{folder}: {spliced} spliced and {len(table) - spliced} authentic images, simulated, in the general layout")
