"""The command `collect`: download photos of given cameras."""

import argparse
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from commands.options import add_json_option, at_least, messages_aside, positive
from commands.paths import output_folder
from commands.program import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from competition.collect.http import Client, Limits
    from competition.collect.url_list import PhotoUrl

HELP = "download photos from a list of URLs or from Flickr, and record their licenses"
EXAMPLE = (
    f"{PROGRAM} collect --list urls.csv --out data/collected\n"
    f"         FLICKR_API_KEY=… {PROGRAM} collect --flickr iPhone-6 Sony-NEX-7 --out data/collected"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--list",
        type=Path,
        metavar="FILE.csv",
        help="CSV file with the columns url, camera, licence and optionally device",
    )
    source.add_argument(
        "--flickr",
        nargs="+",
        metavar="CAMERA",
        help="search Flickr for original photos of these cameras; the environment variable FLICKR_API_KEY has the key",
    )
    parser.add_argument(
        "--out",
        type=output_folder,
        required=True,
        metavar="DIR",
        help="folder for train/CAMERA/*.jpg and collected.csv",
    )
    parser.add_argument("--flickr-camera", metavar="ID", help="Flickr's id of the one CAMERA, such as apple/iphone_6")
    parser.add_argument("--text", help="search title, description and tags for this text; with one CAMERA")
    parser.add_argument(
        "--licences", nargs="+", metavar="LICENCE", help="licenses on Flickr; default: CC0, PDM and CC-BY without ND"
    )
    parser.add_argument(
        "--most", type=at_least(1), default=1000, metavar="N", help="photos per camera on Flickr; default: 1000"
    )
    parser.add_argument(
        "--connections", type=at_least(1), default=4, metavar="N", help="concurrent connections; default: 4"
    )
    parser.add_argument(
        "--rate", type=positive, default=2.0, metavar="N", help="requests per second to one host; default: 2"
    )
    parser.add_argument("--most-mib", type=positive, default=64, metavar="MIB", help="size of one file; default: 64")
    parser.add_argument(
        "--timeout", type=positive, default=300, metavar="SECONDS", help="duration of one download; default: 300"
    )
    add_json_option(parser)


def run(args: argparse.Namespace) -> None:
    with messages_aside(args.json):
        _collect(args)
    if args.json:
        from competition.collect.record import RECORD_NAME, read_record
        from competition.utils.tables import json_table

        print(json_table(read_record(args.out / RECORD_NAME)))


def _collect(args: argparse.Namespace) -> None:
    """Download and count the photos."""
    from competition.collect.http import Client
    from competition.collect.record import summary
    from competition.collect.run import collect
    from competition.collect.url_list import read_url_list
    from competition.utils.errors import InputError

    with Client(limits(args)) as client:
        if args.list:
            if args.text or args.flickr_camera or args.licences:
                raise InputError("--text, --flickr-camera and --licences only apply with --flickr")
            photos = read_url_list(args.list)
            skipped = collect(photos, args.out, client, total=len(photos))
        else:
            skipped = collect(_search(args, client), args.out, client)
    print(summary(args.out))
    print(f"\n{args.out}/collected.csv: one row per URL; {skipped.finished} were finished before")
    if skipped.other_camera:
        print(
            f"{skipped.other_camera} of them belong to another camera and stay there; to move them, delete their rows"
        )
    print(f"next: {PROGRAM} doctor {args.out} --out doctor.csv")


def limits(args: argparse.Namespace) -> "Limits":
    """The limits that the options set."""
    from competition.collect.http import Limits

    return Limits(
        connections=args.connections,
        rate=args.rate,
        max_bytes=int(args.most_mib * 2**20),
        max_seconds=args.timeout,
    )


def _search(args: argparse.Namespace, client: "Client") -> "Iterator[PhotoUrl]":
    import os

    from competition.collect.flickr import DEFAULT_LICENSES, Flickr, find_queries
    from competition.utils.errors import InputError

    key = os.environ.get("FLICKR_API_KEY", "").strip()
    if not key:
        raise InputError(
            "the environment variable FLICKR_API_KEY is not set; get a key at "
            "https://www.flickr.com/services/apps/create/ and set it"
        )
    queries = find_queries(args.flickr, args.flickr_camera, args.text)
    flickr = Flickr(client, key)
    licenses = flickr.license_ids(args.licences or DEFAULT_LICENSES)
    return chain.from_iterable(flickr.search(camera, query, licenses, args.most) for camera, query in queries.items())
