"""The command `train`: from photos to a checked submission and a leaderboard.

Tested by tests/commands/test_main_job.py and tests/commands/test_settings.py.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from commands.data_folder import check_folder, default_preset, virtual_folder
from commands.framework import load_framework
from commands.options import at_least, names, not_negative, positive, processes
from commands.program import PROGRAM
from competition.utils.errors import InputError, unknown_name
from models.front_ends import FRONT_ENDS
from models.members import ENSEMBLE, EXIF_LANGUAGE, INPUTS, MEMBERS, NO_FRONT_END

RECIPE_OPTIONS = ("front_end", "weights", "epochs", "patch", "batch", "learning_rate", "input", "tau")
TASK_OPTIONS = ("bins", "edges", "output", "order", "label_balance")  # fields of `submissions.tasks.Task`
SETTINGS_OPTIONS = (*TASK_OPTIONS, "tau")  # they only apply to a task with settings
CLASSIFIER_OPTIONS = ("task", "members", "photos", "front_end", "weights", "input", *SETTINGS_OPTIONS)
HELP = "train one member or the whole ensemble, predict, score and write the submission"
EXAMPLE = f"{PROGRAM} train ensemble --data ../shared/photos --preset quick"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        metavar="MEMBER|ensemble|exif-language",
        help=f"ensemble, {EXIF_LANGUAGE}, or one of {', '.join(MEMBERS)}",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with train/<camera>/*.jpg and, if there is a test set, test/*.tif; default: virtual cameras",
    )
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help="such as quick or full (an unknown name lists all); default: full for --data on a GPU, otherwise quick",
    )
    parser.add_argument("--run", metavar="NAME", help="name of the folder in runs/; default: from the other options")
    parser.add_argument("--task", metavar="TASK", help="what to predict: camera (default), settings or camera,settings")
    parser.add_argument(
        "--input", choices=INPUTS, help="a patch, or the whole photo squashed to a square; default: the preset's"
    )
    parser.add_argument("--bins", type=at_least(2), metavar="N", help="bins of each setting; default: 3")
    parser.add_argument("--edges", metavar="KIND", help="edges of the bins: paper (default) or quantile")
    parser.add_argument("--output", metavar="KIND", help="heads of the settings: independent (default) or correlated")
    parser.add_argument(
        "--order",
        type=names,
        metavar="A,B,C",
        help="order in which the settings join the loss; default: aperture,iso,exposure_time",
    )
    parser.add_argument(
        "--label-balance",
        metavar="KIND",
        help="how training compensates for rare settings: bins, cells or none; default: the preset's",
    )
    parser.add_argument(
        "--tau",
        type=not_negative,
        metavar="EPOCHS",
        help="epochs after which the next setting joins the loss; default: the preset's",
    )
    parser.add_argument("--members", type=names, metavar="A,B,…", help="members of the ensemble; default: all")
    parser.add_argument("--front-end", choices=(NO_FRONT_END, *FRONT_ENDS), help="default: the preset's")
    parser.add_argument("--weights", metavar="imagenet|none|FILE", help="initial weights; default: the preset's")
    parser.add_argument("--backbone", metavar="NAME", help=f"image encoder of {EXIF_LANGUAGE}; default: the preset's")
    parser.add_argument("--epochs", type=at_least(1), metavar="N", help="default: the preset's")
    parser.add_argument("--patch", type=at_least(1), metavar="PIXELS", help="side of a patch; default: the preset's")
    parser.add_argument("--batch", type=at_least(1), metavar="N", help="patches in a step; default: the preset's")
    parser.add_argument("--learning-rate", type=positive, metavar="RATE", help="default: the preset's")
    parser.add_argument(
        "--photos", type=at_least(1), metavar="N", help="maximum number of training photos; default: all"
    )
    parser.add_argument("--seed", type=at_least(0), default=0, help="default: 0")
    parser.add_argument(
        "--jobs",
        type=processes,
        default=-1,
        metavar="N",
        help="processes that simulate and read photos; default: one per core",
    )


def run(args: argparse.Namespace) -> None:
    if args.what == EXIF_LANGUAGE:
        _check_not_given(args, CLASSIFIER_OPTIONS, f"does not apply to {EXIF_LANGUAGE}")
        from commands.exif_language import run_exif_language

        run_exif_language(args)
        return
    _check_not_given(args, ["backbone"], f"only applies to {EXIF_LANGUAGE}, because a member is its own backbone")
    if args.task in (None, "camera"):
        _check_not_given(args, SETTINGS_OPTIONS, "only applies with --task settings or --task camera,settings")
    members = _members(args.what, args.members)
    check_folder(args.data)

    from models.presets import classifier_recipe, find_preset
    from submissions.tasks import Task

    task = Task(args.task or "camera", **{name: getattr(args, name) for name in TASK_OPTIONS if _given(args, name)})
    preset = args.preset or default_preset(args.data, on_gpu="full")
    found = find_preset(task.name, preset)
    if args.label_balance is None:
        task = replace(task, label_balance=found.label_balance)
    changes = {name: getattr(args, name) for name in RECIPE_OPTIONS}
    recipes = {member: classifier_recipe(preset, member, task.name, **changes) for member in members}

    load_framework()
    from submissions.run import Run, open_run, start_run

    data = args.data or virtual_folder(found.virtual_size, args.jobs)
    suffix = "" if task.name == "camera" else f"-{task.name.replace(',', '-')}"
    name = args.run or f"{args.what}{suffix}-{preset}-{data.resolve().name}"
    requested = Run(Path("runs") / name, data, recipes, args.seed, task, args.photos)
    for message in start_run(requested, args.jobs, fit_patches=args.patch is None):
        print(message)
    started = open_run(requested.folder)

    from joblib import effective_n_jobs

    from models.training.backend import has_gpu
    from submissions.leaderboards.score import score_run
    from submissions.submit import has_equal_quotas, submit_run
    from submissions.train_run import train_run

    counts = started.manifest["split"].value_counts()
    splits = ", ".join(f"{counts[split]} {split}" for split in ("train", "validation", "test") if split in counts)
    print(f"run {started.folder}: {len(started.cameras)} cameras, {splits} images")
    train_run(started, 1 if has_gpu() else effective_n_jobs(args.jobs))
    print(f"\n{score_run(started)}\n")
    for path in submit_run(started):
        print(f"submission   {path} (checked)")
    for path in sorted(started.folder.glob("*leaderboard.csv")):
        print(f"leaderboard  {path}")
    print(f"models       {started.folder / 'members'}")
    is_balanced = task.camera and "test" in started.images and has_equal_quotas(started)
    next_command = f"submit {started.folder} --balance exact" if is_balanced else f"predict {started.folder} PHOTO…"
    print(f"\nnext: {PROGRAM} {next_command}")


def _given(args: argparse.Namespace, option: str) -> bool:
    return getattr(args, option) is not None


def _check_not_given(args: argparse.Namespace, options: Sequence[str], reason: str) -> None:
    """Raise `InputError` for an option that would have no effect."""
    for option in options:
        if _given(args, option):
            raise InputError(f"--{option.replace('_', '-')} {reason}; remove the option (see {PROGRAM} train --help)")


def _members(what: str, chosen: Sequence[str] | None) -> list[str]:
    members = list(ENSEMBLE) if what == "ensemble" else [what]
    if chosen is not None:
        if what != "ensemble":
            raise InputError(f"--members only applies to ensemble, received it with {what}; remove the option")
        members = list(chosen)
    for member in members:
        if member not in MEMBERS:
            raise unknown_name("member", member, [*MEMBERS, "ensemble", EXIF_LANGUAGE])
    return list(dict.fromkeys(members))
