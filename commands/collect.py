"""The command `collect`: more photographs of the right cameras."""

import argparse
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from commands.options import at_least, positive
from commands.program import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from competition.collect.http import Client
    from competition.collect.url_list import Address

HELP = "fetch photographs from a list of addresses or from Flickr, with their licences on record"
EXAMPLE = (
    f"{PROGRAM} collect --list addresses.csv --out data/collected\n"
    f"         FLICKR_API_KEY=… {PROGRAM} collect --flickr iPhone-6 Sony-NEX-7 --out data/collected"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `collect`."""
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--list", type=Path, metavar="FILE.csv", help="columns: url, camera, licence and maybe device")
    where.add_argument(
        "--flickr",
        nargs="+",
        metavar="CAMERA",
        help="search Flickr for originals of these cameras; the key is read from FLICKR_API_KEY in the environment",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="gets train/CAMERA/*.jpg and collected.csv"
    )
    parser.add_argument("--flickr-camera", metavar="ID", help="for one CAMERA: its id there, such as apple/iphone_6")
    parser.add_argument("--text", help="for one CAMERA: words that title, description or tags must hold")
    parser.add_argument(
        "--licences", nargs="+", metavar="LICENCE", help="on Flickr; default: CC0, PDM and CC-BY without ND"
    )
    parser.add_argument(
        "--most", type=at_least(1), default=1000, metavar="N", help="for each camera on Flickr; default: 1000"
    )
    parser.add_argument("--connections", type=at_least(1), default=4, metavar="N", help="at once; default: 4")
    parser.add_argument(
        "--rate", type=positive, default=2.0, metavar="N", help="requests a second to one host; default: 2"
    )
    parser.add_argument("--most-mib", type=positive, default=64, metavar="MIB", help="of one file; default: 64")
    parser.add_argument("--timeout", type=positive, default=300, metavar="S", help="seconds for one file; default: 300")


def run(args: argparse.Namespace) -> None:
    """Find, fetch, summarize."""
    from competition.collect.http import Client, Limits
    from competition.collect.record import summary
    from competition.collect.run import collect
    from competition.collect.url_list import read_list
    from competition.utils.errors import InputError

    limits = Limits(
        connections=args.connections,
        rate=args.rate,
        most_bytes=int(args.most_mib * 2**20),
        most_seconds=args.timeout,
    )
    with Client(limits) as client:
        if args.list:
            if args.text or args.flickr_camera or args.licences:
                raise InputError("--text, --flickr-camera and --licences belong to --flickr")
            addresses = read_list(args.list)
            found = collect(addresses, args.out, client, total=len(addresses))
        else:
            found = collect(_search(args, client), args.out, client)
    print(summary(args.out))
    print(f"\n{args.out}/collected.csv: one row for each file; {found.before} were dealt with before")
    if found.elsewhere:
        print(f"{found.elsewhere} of them for another camera, where they were left; to move them, delete their rows")
    print(f"next: {PROGRAM} doctor {args.out} --out doctor.csv")


def _search(args: argparse.Namespace, client: "Client") -> "Iterator[Address]":
    import os

    from competition.collect.flickr import LICENCES, Flickr, queries
    from competition.utils.errors import InputError

    key = os.environ.get("FLICKR_API_KEY", "").strip()
    if not key:
        raise InputError(
            "FLICKR_API_KEY is not set; get a key at https://www.flickr.com/services/apps/create/ and put it into the "
            "environment"
        )
    searches = queries(args.flickr, args.flickr_camera, args.text)
    flickr = Flickr(client, key)
    licences = flickr.licences(args.licences or LICENCES)
    return chain.from_iterable(flickr.search(label, query, licences, args.most) for label, query in searches.items())
