"""`./run.sh probe`: what a logistic regression reads out of a run's frozen embeddings."""

import argparse
from pathlib import Path

from commands.data_folder import check_folder
from commands.options import at_least, processes
from commands.quiet import load_framework

HELP = "probe the embeddings of an exif-language run, beside an untrained network and a camera classifier"
EXAMPLE = "./run.sh probe runs/exif-language-quick-virtual-settings --target camera"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run of train exif-language")
    parser.add_argument(
        "--target",
        required=True,
        help="camera, make, aperture, iso, exposure_time, radial-distortion or authentic",
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="where the run's photographs lie; default: as they did"
    )
    parser.add_argument("--root", type=Path, metavar="DIR", help="of authentic: the data set's folder")
    parser.add_argument(
        "--dataset", default="casia1", metavar="NAME", help="of authentic: casia1 (default), casia2 or another layout"
    )
    parser.add_argument(
        "--classifier",
        type=Path,
        metavar="RUN",
        help="of cameras, to compare with; default: the newest beside RUN on the same data",
    )
    parser.add_argument("--patches", type=at_least(1), default=1, metavar="N", help="of each photograph; default: 1")
    parser.add_argument("--seed", type=at_least(0), default=0, help="default: 0")
    parser.add_argument(
        "--jobs", type=processes, default=-1, metavar="N", help="processes that fit; default: one a core"
    )


def run(args: argparse.Namespace) -> None:
    check_folder(args.data)
    load_framework()
    from submissions.exif_language import open_exif_language
    from submissions.probes.linear_probe import format_probes, probe_run

    opened = open_exif_language(args.run)
    table = probe_run(
        opened,
        args.target,
        args.data,
        args.root,
        args.dataset,
        args.classifier,
        args.patches,
        args.seed,
        args.jobs,
    )
    print(format_probes(table))
    print(f"\n{opened.folder / f'probe-{args.target}.csv'} and .md")
