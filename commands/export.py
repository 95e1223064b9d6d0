"""Command `export`: the networks of a run as files for programs without this toolkit."""

import argparse
import os
from dataclasses import asdict

from commands.framework import load_framework
from commands.options import add_json_option, messages_aside
from commands.paths import output_folder, run_folder
from commands.program import PROGRAM
from competition.utils.errors import InputError
from models.export.formats import FORMATS, find_format

HELP = "export the members and the ensemble of a run, for programs without this toolkit"
EXAMPLE = f"{PROGRAM} export runs/ensemble-quick-virtual-small --format onnx"
MIB = 2**20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=run_folder, metavar="RUN", help="folder of a run, or its name in runs/")
    parser.add_argument("--format", required=True, metavar="FORMAT", help=f"one of {', '.join(FORMATS)}")
    parser.add_argument(
        "--out", type=output_folder, metavar="DIR", help="folder of the files; default: RUN/export/FORMAT"
    )
    add_json_option(parser)


def run(args: argparse.Namespace) -> None:
    find_format(args.format)
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend != "tensorflow":
        raise InputError(f"export needs the backend tensorflow, received KERAS_BACKEND={backend}; unset the variable")
    from submissions.run import open_run

    opened = open_run(args.run)

    load_framework()
    import pandas as pd

    from competition.utils.tables import json_table, text_table
    from models.export.checked import TOLERANCE
    from submissions.exports.export_run import DESCRIPTION, export_run

    folder = args.out or opened.folder / "export" / args.format
    with messages_aside(args.json):
        written = export_run(opened, args.format, folder)
    if args.json:
        print(json_table(pd.DataFrame([{**asdict(exported), "path": str(exported.path)} for exported in written])))
        return
    table = {
        "file": [exported.path.name for exported in written],
        "MiB": [f"{exported.size / MIB:.1f}" for exported in written],
        "largest difference to Keras": [f"{exported.difference:.1e}" for exported in written],
    }
    print(text_table(table))
    print(f"\n{folder}: checked on validation images, tolerance {TOLERANCE:.0e}; {DESCRIPTION} has inputs and classes")
