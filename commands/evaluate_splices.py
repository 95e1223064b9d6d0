"""Command `evaluate-splices`: score a splice detector on images with known masks.

Tested by tests/commands/test_splices.py.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.framework import load_framework
from commands.options import add_json_option, at_least, messages_aside, processes
from commands.paths import output_folder, run_folder
from commands.program import PROGRAM
from commands.splice import add_map_arguments
from competition.utils.errors import InputError, unknown_name

if TYPE_CHECKING:
    import pandas as pd

    from competition.forgeries.datasets import Item

HELP = "score the heat maps of a run against masks, beside random and high-pass-energy maps"
EXAMPLE = (
    f"{PROGRAM} evaluate-splices runs/exif-language-quick-virtual-settings-large "
    "--dataset columbia --root data/columbia"
)
VIRTUAL = "virtual"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=run_folder, metavar="RUN", help="folder of an exif-language run")
    parser.add_argument(
        "--dataset",
        default=VIRTUAL,
        metavar="NAME",
        help="virtual (default, simulated), columbia, dso-1, in-the-wild, realistic-tampering, scene-completion, "
        "casia1, casia2, or general: your own images/ and masks/ with the same names; images without a mask are "
        "authentic",
    )
    parser.add_argument(
        "--root",
        type=Path,
        metavar="DIR",
        help="folder of the data set; virtual splices are generated in data/ if it is not given",
    )
    parser.add_argument(
        "--out",
        type=output_folder,
        metavar="DIR",
        help="folder of the results; default: RUN/splices-NAME, or RUN/splices-NAME-cut with --method cut",
    )
    parser.add_argument(
        "--limit", type=at_least(1), metavar="N", help="use at most N forged and N authentic images; default: all"
    )
    parser.add_argument(
        "--jobs",
        type=processes,
        default=-1,
        metavar="N",
        help="processes that generate virtual splices; default: one per core",
    )
    add_map_arguments(parser)
    add_json_option(parser)


def run(args: argparse.Namespace) -> None:
    from submissions.exif_language import open_exif_language
    from submissions.splices.detector import check_count

    _check_dataset(args)
    open_exif_language(args.run)  # raises InputError before the framework is loaded
    check_count(args.count)
    with messages_aside(args.json):
        table = _evaluate(args)
    if args.json:
        from competition.utils.tables import json_table

        print(json_table(table))


def _evaluate(args: argparse.Namespace) -> "pd.DataFrame":
    """Write and describe the results, and return the scores of each kind of map."""
    load_framework()
    from submissions.splices.detector import load_encoder
    from submissions.splices.evaluate import MapCache, limit_images, score_images, summarize
    from submissions.splices.report import draw_examples, write_report

    encoder = load_encoder(args.run)
    items, splices = _open_dataset(args)
    out = args.out or args.run / f"splices-{args.dataset}{'' if args.method == 'shift' else f'-{args.method}'}"
    maps = MapCache(encoder, out / "maps", args.count, args.method)
    images, left_out = score_images(maps, limit_images(items, args.limit))
    simulated = "" if splices is None else " (simulated)"
    title = f"Splices of the data set {args.dataset}{simulated}, detected by {args.run.name}, method {args.method}"
    print(write_report(out, title, images, left_out, splices))
    subtitle = "outline: true mask; each heat map is scaled to its own range"
    draw_examples(maps, items, images, f"{title}\n{subtitle}", out / "examples.png")
    print(f"\n{out}: table.md, table.csv, images.csv, examples.png, and the cached heat maps in maps")
    return summarize(images)


def _check_dataset(args: argparse.Namespace) -> None:
    from competition.forgeries.datasets import DATA_SETS

    if args.dataset not in (*DATA_SETS, VIRTUAL):
        raise unknown_name("data set", args.dataset, (*DATA_SETS, VIRTUAL))
    if args.dataset != VIRTUAL and args.root is None:
        raise InputError(f"--dataset {args.dataset} needs the folder of the data set; pass it with --root DIR")


def _open_dataset(args: argparse.Namespace) -> "tuple[list[Item], pd.DataFrame | None]":
    """The images, and for virtual splices the table of how they were made."""
    from competition.forgeries.datasets import open_dataset
    from competition.utils.tables import read_text_table

    if args.dataset == VIRTUAL:
        root = args.root or _make_virtual_splices(args.jobs)
        columns = ["name", "settings", "edge", "quality", "share"]
        splices = read_text_table(root / "splices.csv", columns, f"pass a folder made by {PROGRAM} virtual --splices")
        return open_dataset("general", root), splices
    return open_dataset(args.dataset, args.root), None


def _make_virtual_splices(jobs: int) -> Path:
    from competition.virtual.make_splices import find_size, make_splices

    folder = Path("data") / "splices-small"
    print(f"no --root given: using virtual splices in {folder}, simulated photos by virtual cameras")
    if not (folder / "splices.csv").exists():
        make_splices(folder, find_size("small"), 0, jobs)
    return folder
