"""`./run.sh train`: from photographs to a checked submission and a leaderboard."""

import argparse
from pathlib import Path

from commands.options import at_least, positive, processes
from commands.quiet import load_framework
from competition.errors import InputError, unknown_name
from models.backbones import BACKBONES, MEMBERS
from models.presets import PRESETS, recipe

HELP = "train one member or the whole ensemble, predict, score and write the submission"
EXAMPLE = "./run.sh train ensemble --data ../shared/photos --preset quick"
VIRTUAL_SIZES = {"full": "full", "quick": "small", "smoke": "smoke"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="MEMBER|ensemble", help=f"ensemble, or one of {', '.join(MEMBERS)}")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="train/<camera>/*.jpg [test/*.tif]; default: virtual cameras"
    )
    parser.add_argument("--preset", choices=PRESETS, help="default: full for --data on a GPU, otherwise quick")
    parser.add_argument("--run", metavar="NAME", help="name of the folder in runs/; default: from the other choices")
    parser.add_argument("--members", metavar="A,B,…", help="members of the ensemble; default: all")
    parser.add_argument("--front", help="none, residual or stem; default: the preset's")
    parser.add_argument("--weights", metavar="imagenet|none|FILE", help="first weights; default: the preset's")
    parser.add_argument("--epochs", type=at_least(1), metavar="N", help="default: the preset's")
    parser.add_argument("--patch", type=at_least(1), metavar="PIXELS", help="side of a patch; default: the preset's")
    parser.add_argument("--batch", type=at_least(1), metavar="N", help="patches in a step; default: the preset's")
    parser.add_argument("--learning-rate", type=positive, metavar="RATE", help="default: the preset's")
    parser.add_argument("--seed", type=at_least(0), default=0, help="default: 0")
    parser.add_argument(
        "--jobs",
        type=processes,
        default=-1,
        metavar="N",
        help="processes that make and read photographs; default: one a core",
    )


def run(args: argparse.Namespace) -> None:
    members = _members(args.what, args.members)
    changes = {name: getattr(args, name) for name in ("front", "weights", "epochs", "patch", "batch", "learning_rate")}
    if args.data is not None and not args.data.is_dir():
        raise InputError(
            f"the folder {args.data} does not exist; expected train/<camera>/*.jpg in it (see ./run.sh train --help)"
        )

    load_framework()
    from submissions.runs import Run, start_run

    preset = args.preset or _default_preset(args.data)
    recipes = {member: recipe(preset, member, **changes) for member in members}
    data = args.data or _virtual(VIRTUAL_SIZES[preset], args.jobs)
    name = args.run or f"{args.what}-{preset}-{data.resolve().name}"
    started = Run(Path("runs") / name, data, recipes, args.seed)
    for told in start_run(started, args.jobs):
        print(f"warning: {told}")

    from submissions.ensemble import predict_member, train_member
    from submissions.leaderboard import format_table
    from submissions.results import images, score, submit

    counts = started.manifest["split"].value_counts()
    splits = ", ".join(f"{counts[split]} {split}" for split in ("train", "validation", "test") if split in counts)
    print(f"run {started.folder}: {len(started.classes)} cameras, {splits} images")
    for member in members:
        train_member(started, member)
        predict_member(started, member)
    table = score(started)
    print(f"\n{format_table(table)}\n")
    has_test = "test" in images(started)
    if has_test:
        submit(started, started.folder / "submission.csv")
        print(f"submission   {started.folder / 'submission.csv'} (checked)")
    print(f"leaderboard  {started.folder / 'leaderboard.csv'}")
    print(f"scores       {started.folder / 'scores.json'}")
    print(f"models       {started.folder / 'members'}")
    following = f"submit {started.folder} --balance exact" if has_test else f"predict {started.folder} PHOTO…"
    print(f"\nnext: ./run.sh {following}")


def _members(what: str, chosen: str | None) -> list[str]:
    names = list(BACKBONES) if what == "ensemble" else [what]
    if chosen is not None:
        if what != "ensemble":
            raise InputError(f"--members chooses the members of an ensemble, received it with {what}; leave it out")
        names = chosen.split(",")
    for name in names:
        if name not in MEMBERS:
            raise unknown_name("member", name, [*MEMBERS, "ensemble"])
    return list(dict.fromkeys(names))


def _default_preset(data: Path | None) -> str:
    from models.devices import has_gpu

    return "full" if data is not None and has_gpu() else "quick"


def _virtual(size: str, jobs: int) -> Path:
    from augment.manipulations import cut_test_patch
    from competition.virtual.competition import find_size, make_competition

    folder = Path("data") / f"virtual-{size}"
    print(f"no --data: the virtual competition in {folder}, simulated photographs by ten virtual cameras")
    make_competition(folder, find_size(size), 0, cut_test_patch, jobs)
    return folder
