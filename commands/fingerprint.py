"""The command `fingerprint`: the fingerprints of devices, and which of them a photo carries.

Tested by tests/commands/test_fingerprint.py.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.messages import warn
from commands.options import add_json_option, messages_aside
from commands.paths import output_file
from commands.program import PROGRAM
from competition.utils.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

HELP = "build the fingerprint of a device from its photos, or match photos with fingerprints"
EXAMPLE = f"{PROGRAM} fingerprint build my-phone/ && {PROGRAM} fingerprint match holiday/"
FOLDER = Path("fingerprints")
SUFFIX = ".npz"
PRINTED_ROWS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("build", "match"), metavar="build|match", help="what to do")
    parser.add_argument(
        "photos",
        type=Path,
        nargs="+",
        metavar="PHOTO",
        help="photos or folders; for build, of one device, neither cropped, scaled nor rotated",
    )
    parser.add_argument("--name", metavar="NAME", help="of the device, for build; default: the name of the folder")
    parser.add_argument(
        "--fingerprints",
        type=Path,
        default=FOLDER,
        metavar="DIR",
        help=f"folder of the fingerprints; default: {FOLDER}",
    )
    parser.add_argument("--out", type=output_file, metavar="FILE", help="for match: also write all pairs to a CSV file")
    add_json_option(parser)


def run(args: argparse.Namespace) -> None:
    from competition.utils.find_photos import find_photos

    unused = [f"--{name}" for name in _only_for("match" if args.action == "build" else "build") if getattr(args, name)]
    if unused:
        raise InputError(f"{unused[0]} does not apply to {args.action}; remove the option")
    photos = [photo for path in args.photos for photo in find_photos(path, recursive=True)]
    if not photos:
        raise InputError(f"{args.photos[0]} has no photos; expected JPEG, TIFF or PNG files")
    if args.action == "build":
        _build(args, photos)
    else:
        _match(args, photos)


def _only_for(action: str) -> tuple[str, ...]:
    return ("name",) if action == "build" else ("out", "json")


def _build(args: argparse.Namespace, photos: list[Path]) -> None:
    from competition.utils.locks import lock_file
    from submissions.fingerprints.device import build_fingerprint, save_fingerprint

    name = args.name or args.photos[0].resolve().name.removesuffix(args.photos[0].suffix)
    if Path(name).name != name or name.startswith("."):
        raise InputError(f"--name: received {name!r}, expected a name without slashes")
    path = args.fingerprints / f"{name}{SUFFIX}"
    with lock_file(path):
        if path.exists():
            raise InputError(f"{path} exists; remove it, or give the device another --name")
        fingerprint, skipped = build_fingerprint(name, photos)
        save_fingerprint(fingerprint, path)
    for photo, reason in list(skipped.items())[:PRINTED_ROWS]:
        warn(f"skipped {photo}: {reason}")
    height, width = fingerprint.pattern.shape
    scores = fingerprint.own_scores
    print(
        f"{path}: {len(scores)} photos of {width}x{height} pixels\n"
        f"own photos, each matched with the fingerprint of the others: score {scores.mean():.1f} on average, "
        f"{scores.min():.1f} to {scores.max():.1f} (photos by other devices: about 0 ± 1)"
    )


def _match(args: argparse.Namespace, photos: list[Path]) -> None:
    from competition.utils.atomic_files import write_csv
    from competition.utils.tables import json_table, terminal_width, text_table
    from submissions.fingerprints.device import load_fingerprint
    from submissions.fingerprints.match_photos import best_matches, match_photos

    files = sorted(args.fingerprints.glob(f"*{SUFFIX}"))
    if not files:
        raise InputError(
            f"{args.fingerprints} has no fingerprints; make one with '{PROGRAM} fingerprint build DIR', where DIR has "
            "photos by one device"
        )
    with messages_aside(args.json):
        table, skipped = match_photos([load_fingerprint(file) for file in files], photos)
        if args.out:
            write_csv(table, args.out)
    for photo, reason in list(skipped.items())[:PRINTED_ROWS]:
        warn(f"skipped {photo}: {reason}")
    if args.json:
        print(json_table(table))
    else:
        best = best_matches(table)
        print(text_table(_shown(best.head(PRINTED_ROWS)), width=terminal_width()))
        if len(best) > PRINTED_ROWS:
            print(f"… and {len(best) - PRINTED_ROWS} more photos: --out FILE writes all")
        if args.out:
            print(f"\n{args.out}: {len(table)} pairs of photo and fingerprint")


def _shown(best: "pd.DataFrame") -> dict[str, list[object]]:
    """The columns that are printed: heading → cells."""
    return {
        "photo": best["path"].tolist(),
        "fingerprint": best["fingerprint"].tolist(),
        "match": ["yes" if match else "no" for match in best["match"]],
        "PCE": [f"{energy:.0f}" for energy in best["peak_to_correlation_energy"]],
        "log10 LR": [f"{ratio:+.1f}" for ratio in best["log10_likelihood_ratio"]],
        "false alarms": [f"{rate:.0e}" for rate in best["false_alarm_rate"]],
        "misses": [f"{rate:.2g}" for rate in best["miss_rate"]],
        "place": [f"{column},{row}" for row, column in zip(best["row"], best["column"], strict=True)],
    }
