"""`./run.sh evaluate-splices`: how well a run finds splices whose masks are known."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.options import at_least, processes
from commands.quiet import load_framework
from commands.splice import add_map_arguments
from competition.utils.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from competition.forgeries.datasets import Item

HELP = "score a run's maps of splices against masks, beside a random map and one of high-pass energy"
EXAMPLE = "./run.sh evaluate-splices runs/exif-language-quick-virtual-settings --dataset columbia --root data/columbia"
VIRTUAL = "virtual"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a run of exif-language")
    parser.add_argument(
        "--dataset",
        default=VIRTUAL,
        metavar="NAME",
        help="virtual (default, simulated), columbia, dso-1, in-the-wild, realistic-tampering, scene-completion, "
        "casia1, casia2, or general: your own images/ and masks/ by the same names, authentic ones without mask",
    )
    parser.add_argument(
        "--root", type=Path, metavar="DIR", help="folder of the data set; the virtual one is made where it is not there"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="default: RUN/splices-NAME, for cuts RUN/splices-NAME-cut"
    )
    parser.add_argument(
        "--limit", type=at_least(1), metavar="N", help="so many forged and as many authentic images only"
    )
    parser.add_argument("--jobs", type=processes, default=-1, metavar="N", help="processes that make virtual splices")
    add_map_arguments(parser)


def run(args: argparse.Namespace) -> None:
    load_framework()
    from submissions.splices.detector import load_encoder
    from submissions.splices.evaluate import KeptMaps, score_images, some
    from submissions.splices.report import draw_examples, write_report

    encoder = load_encoder(args.run)
    items, splices = _open(args)
    out = args.out or args.run / f"splices-{args.dataset}{'' if args.method == 'shift' else f'-{args.method}'}"
    maps = KeptMaps(encoder, out / "maps", args.count, args.method)
    images, left_out = score_images(maps, some(items, args.limit))
    simulated = "" if splices is None else " (simulated)"
    title = f"Splices of the data set {args.dataset}{simulated}, found by {args.run.name}, method {args.method}"
    print(write_report(out, title, images, left_out, splices))
    draw_examples(maps, items, images, f"{title}\noutlined: the truth; each map in its own range", out / "examples.png")
    print(f"\n{out}: table.md, table.csv, images.csv, examples.png, and in maps what is kept of each image")


def _open(args: argparse.Namespace) -> "tuple[list[Item], pd.DataFrame | None]":
    """The images, and of the virtual splices what they were made of."""
    from competition.forgeries.datasets import open_dataset
    from competition.utils.tables import read_text_table

    if args.dataset == VIRTUAL:
        root = args.root or _virtual_splices(args.jobs)
        columns = ["name", "settings", "edge", "quality", "share"]
        splices = read_text_table(root / "splices.csv", columns, "give a folder that ./run.sh virtual --splices made")
        return open_dataset("general", root), splices
    if args.root is None:
        raise InputError(f"where is the data set {args.dataset}? Give its folder as --root DIR")
    return open_dataset(args.dataset, args.root), None


def _virtual_splices(jobs: int) -> Path:
    from competition.virtual.make_splices import find_size, make_splices

    folder = Path("data") / "splices-small"
    print(f"no --root: the virtual splices in {folder}, simulated photographs by virtual cameras")
    if not (folder / "splices.csv").exists():
        make_splices(folder, find_size("small"), 0, jobs)
    return folder
