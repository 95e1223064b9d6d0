"""`./run.sh train`: from photographs to a checked submission and a leaderboard."""

import argparse
from pathlib import Path

from commands.data_folder import check_folder, virtual_folder
from commands.options import at_least, not_negative, positive, processes
from commands.framework import load_framework
from competition.utils.errors import InputError, unknown_name
from models.members import ENSEMBLE, MEMBERS
from models.presets import EXIF_LANGUAGE, classifier_recipe, find_preset, preset_names

CHANGES = ("front_end", "weights", "epochs", "patch", "batch", "learning_rate", "input", "tau")
OF_SETTINGS = ("bins", "edges", "output", "order", "label_balance")  # what a task says of them
OF_CAMERAS = ("members", "photos", "front_end", "weights", "input", "tau", *OF_SETTINGS)  # and nothing to exif-language
HELP = "train one member or the whole ensemble, predict, score and write the submission"
EXAMPLE = "./run.sh train ensemble --data ../shared/photos --preset quick"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        metavar="MEMBER|ensemble|exif-language",
        help=f"ensemble, {EXIF_LANGUAGE}, or one of {', '.join(MEMBERS)}",
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="train/<camera>/*.jpg [test/*.tif]; default: virtual cameras"
    )
    parser.add_argument(
        "--preset", choices=preset_names("camera"), help="default: full for --data on a GPU, otherwise quick"
    )
    parser.add_argument("--run", metavar="NAME", help="name of the folder in runs/; default: from the other choices")
    parser.add_argument(
        "--task", default="camera", metavar="TASK", help="camera (default), settings or camera,settings"
    )
    parser.add_argument("--input", help="patch or squash (the whole photograph in a square); default: the preset's")
    parser.add_argument("--bins", type=at_least(2), metavar="N", help="bins of each setting; default: 3")
    parser.add_argument("--edges", metavar="KIND", help="of the bins: paper (default) or quantile")
    parser.add_argument("--output", metavar="KIND", help="of settings: independent (default) or correlated")
    parser.add_argument(
        "--order",
        type=lambda names: tuple(names.split(",")),
        metavar="A,B,C",
        help="in which settings join the loss; default: aperture,iso,exposure_time",
    )
    parser.add_argument("--label-balance", metavar="KIND", help="of settings: bins (default), cells (of paper) or none")
    parser.add_argument(
        "--tau", type=not_negative, metavar="EPOCHS", help="until the next joins; default: the preset's"
    )
    parser.add_argument("--members", metavar="A,B,…", help="members of the ensemble; default: all")
    parser.add_argument("--front-end", help="none, high_pass, conv_stem or statistics; default: the preset's")
    parser.add_argument("--weights", metavar="imagenet|none|FILE", help="first weights; default: the preset's")
    parser.add_argument("--backbone", metavar="MEMBER", help="of exif-language's image encoder; default: the preset's")
    parser.add_argument("--epochs", type=at_least(1), metavar="N", help="default: the preset's")
    parser.add_argument("--patch", type=at_least(1), metavar="PIXELS", help="side of a patch; default: the preset's")
    parser.add_argument("--batch", type=at_least(1), metavar="N", help="patches in a step; default: the preset's")
    parser.add_argument("--learning-rate", type=positive, metavar="RATE", help="default: the preset's")
    parser.add_argument(
        "--photos", type=at_least(1), metavar="N", help="learn of N photographs at most; default: of all"
    )
    parser.add_argument("--seed", type=at_least(0), default=0, help="default: 0")
    parser.add_argument(
        "--jobs",
        type=processes,
        default=-1,
        metavar="N",
        help="processes that make and read photographs; default: one a core",
    )


def run(args: argparse.Namespace) -> None:
    if args.what == EXIF_LANGUAGE:
        for name in OF_CAMERAS:
            if getattr(args, name) is not None:
                raise InputError(
                    f"--{name.replace('_', '-')} is not of {EXIF_LANGUAGE}; leave it out (see ./run.sh train --help)"
                )
        from commands.exif_language import run_exif_language

        run_exif_language(args)
        return
    if args.backbone is not None:
        raise InputError(f"--backbone belongs to {EXIF_LANGUAGE}; a member is its own backbone, so leave it out")
    members = _members(args.what, args.members)
    changes = {name: getattr(args, name) for name in CHANGES}
    asked = {name: getattr(args, name) for name in OF_SETTINGS if getattr(args, name) is not None}
    if args.task == "camera" and (asked or args.tau is not None):
        raise InputError(
            f"--{next(iter(asked), 'tau').replace('_', '-')} is of settings: add --task settings, or leave it out"
        )
    check_folder(args.data)

    load_framework()
    from submissions.run import Run, start_run
    from submissions.tasks import Task

    preset = args.preset or _default_preset(args.data)
    found = find_preset(args.task, preset)
    task = Task(args.task, **{"label_balance": found.label_balance, **asked})
    recipes = {member: classifier_recipe(preset, member, task.name, **changes) for member in members}
    data = args.data or virtual_folder(found.virtual_size, args.jobs)
    target = "" if task.name == "camera" else f"-{task.name.replace(',', '-')}"
    name = args.run or f"{args.what}{target}-{preset}-{data.resolve().name}"
    started = Run(Path("runs") / name, data, recipes, args.seed, task, args.photos)
    for told in start_run(started, args.jobs):
        print(told)

    from submissions.leaderboards.score import score_run
    from submissions.members import predict_member, train_member
    from submissions.submit import submit_run

    counts = started.manifest["split"].value_counts()
    splits = ", ".join(f"{counts[split]} {split}" for split in ("train", "validation", "test") if split in counts)
    print(f"run {started.folder}: {len(started.cameras)} cameras, {splits} images")
    for member in members:
        train_member(started, member)
        predict_member(started, member)
    print(f"\n{score_run(started)}\n")
    for path in submit_run(started):
        print(f"submission   {path} (checked)")
    for path in sorted(started.folder.glob("*leaderboard.csv")):
        print(f"leaderboard  {path}")
    print(f"models       {started.folder / 'members'}")
    balance = task.camera and "test" in started.images
    following = f"submit {started.folder} --balance exact" if balance else f"predict {started.folder} PHOTO…"
    print(f"\nnext: ./run.sh {following}")


def _members(what: str, chosen: str | None) -> list[str]:
    names = list(ENSEMBLE) if what == "ensemble" else [what]
    if chosen is not None:
        if what != "ensemble":
            raise InputError(f"--members chooses the members of an ensemble, received it with {what}; leave it out")
        names = chosen.split(",")
    for name in names:
        if name not in MEMBERS:
            raise unknown_name("member", name, [*MEMBERS, "ensemble", EXIF_LANGUAGE])
    return list(dict.fromkeys(names))


def _default_preset(data: Path | None) -> str:
    from models.training.backend import has_gpu

    return "full" if data is not None and has_gpu() else "quick"
