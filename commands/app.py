"""The command `app`: a local page that examines a photo."""

import argparse

from commands.framework import load_framework
from commands.options import at_least
from commands.paths import newest_camera_run, run_folder
from commands.program import PROGRAM
from competition.utils.errors import InputError

HELP = "open a local page: drop a photo, see its camera, settings, evidence, splices and what doctor says"
EXAMPLE = f"{PROGRAM} app runs/ensemble-quick-virtual-small"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run",
        type=run_folder,
        nargs="?",
        metavar="RUN",
        help="run that predicts cameras; default: the one in runs/ that was trained last",
    )
    parser.add_argument("--settings", type=run_folder, metavar="RUN", help="also show the settings that a run predicts")
    parser.add_argument("--splices", type=run_folder, metavar="RUN", help="also show splices, by an exif-language run")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on; default: 127.0.0.1, which only this computer reaches. There is no password",
    )
    parser.add_argument("--port", type=at_least(0), default=8080, metavar="N", help="default: 8080; 0 for a free one")


def run(args: argparse.Namespace) -> None:
    from submissions.exif_language import open_exif_language
    from submissions.run import open_run

    opened = open_run(args.run or newest_camera_run())
    if not opened.task.camera:
        raise InputError(f"the run {args.run} does not predict cameras; give one that does, and this with --settings")
    settings = None if args.settings is None else open_run(args.settings)
    if settings is not None and not settings.task.settings:
        raise InputError(f"the run {args.settings} does not predict settings; train one with --task settings")
    if args.splices is not None:
        open_exif_language(args.splices)  # raises InputError before the framework is loaded

    load_framework()
    from competition.metadata.header import MAX_PIXELS
    from submissions.app.examine import load_examiner
    from submissions.app.page import render_answer, render_page
    from submissions.app.server import MAX_BYTES, Server

    examiner = load_examiner(opened, settings, args.splices)
    page = render_page(opened.folder.name, MAX_BYTES, MAX_PIXELS, examiner.notes)
    with Server(
        lambda path, manipulated: render_answer(examiner.examine(path, manipulated)), page, args.host, args.port
    ) as server:
        print(f"{server.url} shows {opened.folder} (Ctrl+C stops the app)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("stopped")
