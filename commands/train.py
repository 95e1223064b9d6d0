"""The command `train`: from photos to a checked submission and a leaderboard.

Tested by tests/commands/test_main_job.py and tests/commands/test_settings.py.
"""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from commands.banner import banner
from commands.config_file import is_run, read_config_file
from commands.data_folder import virtual_folder
from commands.framework import load_framework
from commands.log_file import log_file
from commands.messages import print_messages
from commands.options import at_least, names, not_negative, positive, probability, processes
from commands.paths import check_output_folder, new_run, run_folder
from commands.program import PROGRAM
from commands.train_plan import Plan, check_exif_language, plan_repetition, plan_run
from competition.utils.errors import InputError
from competition.utils.locks import lock_folder
from models.front_ends import FRONT_ENDS
from models.members import EXIF_LANGUAGE, INPUTS, MEMBERS, NO_FRONT_END
from models.training.tracking import TRACKERS, check_tracker

if TYPE_CHECKING:
    from submissions.run import Run

METAVAR = "MEMBER|ensemble|exif-language"
HELP = "train one member or the whole ensemble, predict, score and write the submission"
EXAMPLE = f"{PROGRAM} train ensemble --data ../shared/photos --preset quick"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        nargs="?",
        metavar=METAVAR,
        help=f"ensemble, {EXIF_LANGUAGE}, or one of {', '.join(MEMBERS)}",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with train/<camera>/*.jpg and, if there is a test set, test/*.tif, or a zip archive of it; "
        "default: virtual cameras",
    )
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help="such as quick or full (an unknown name lists all); default: full for --data on a GPU, otherwise quick",
    )
    parser.add_argument(
        "--run", type=new_run, metavar="NAME", help="name of the folder in runs/; default: from the other options"
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="options in a YAML file, or config.json of a run, to repeat it; options of the command line win",
    )
    parser.add_argument("--task", metavar="TASK", help="what to predict: camera (default), settings or camera,settings")
    parser.add_argument(
        "--input",
        choices=INPUTS,
        help="a patch, the whole photo squashed to a square, or tiles from all over it; default: the preset's",
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
        "--average-epochs",
        type=not_negative,
        metavar="N",
        help="window of the moving average of the weights, which is validated and saved; default: the preset's",
    )
    parser.add_argument(
        "--label-smoothing", type=not_negative, metavar="SHARE", help="share of the target for all classes; default: 0"
    )
    parser.add_argument(
        "--mixup",
        type=not_negative,
        metavar="ALPHA",
        help="mix the features of two patches, only for dctnet; default: 0",
    )
    parser.add_argument(
        "--accumulate", type=at_least(1), metavar="N", help="batches whose gradients make one step; default: 1"
    )
    parser.add_argument(
        "--photos", type=at_least(1), metavar="N", help="maximum number of training photos; default: all"
    )
    parser.add_argument(
        "--validation-photos", type=at_least(1), metavar="N", help="maximum number of validation photos; default: all"
    )
    parser.add_argument(
        "--folds",
        type=at_least(2),
        metavar="K",
        help="train every member K times, each time without one of K folds of the photos, and average the predictions",
    )
    parser.add_argument(
        "--fold-of-member",
        action="store_true",
        default=None,
        help="train each member of the ensemble once, each without another fold of the photos",
    )
    parser.add_argument(
        "--augment",
        metavar="FILE",
        help="pipeline of albumentations transforms for training patches: social-media, camera-phone, or a .yaml or "
        ".json file that albumentations.save wrote",
    )
    parser.add_argument("--seed", type=at_least(0), help="default: 0")
    parser.add_argument(
        "--jobs",
        type=processes,
        default=-1,
        metavar="N",
        help="processes that simulate and read photos; default: one per core",
    )
    parser.add_argument(
        "--pseudo-labels",
        type=run_folder,
        metavar="RUN",
        help="also train on the test images of which this run is sure, with the cameras that it predicts",
    )
    parser.add_argument(
        "--confidence",
        type=probability,
        metavar="P",
        help="lowest probability of a prediction that becomes a label with --pseudo-labels; default: 0.9",
    )
    parser.add_argument(
        "--save-every",
        type=at_least(1),
        metavar="STEPS",
        help="also save the training within an epoch, so that it can be resumed there; default: after every epoch",
    )
    parser.add_argument("--cluster", metavar="ADDRESS|local:N", help="train on the workers of a Dask cluster")
    parser.add_argument(
        "--log", choices=TRACKERS, help="also log every epoch to a tracker; see docs/command-line.md for its package"
    )


def run(args: argparse.Namespace) -> None:
    config = None if args.config is None else read_config_file(args.config)
    repeats = config is not None and is_run(config)
    if args.log is not None:
        check_tracker(args.log)
    if config is not None and config.get("kind") == EXIF_LANGUAGE:
        from commands.exif_language import repeat_exif_language

        repeat_exif_language(args)
        return
    if args.what == EXIF_LANGUAGE and not repeats:
        check_exif_language(args)
        from commands.exif_language import run_exif_language

        run_exif_language(args)
        return
    if args.what is None and not repeats:
        raise InputError(f"the following arguments are required: {METAVAR} (see {PROGRAM} train --help)")
    plan = plan_repetition(args) if repeats else plan_run(args)
    check_output_folder(plan.run.folder)

    from competition.utils.parallel import cluster

    with lock_folder(plan.run.folder), cluster(args.cluster):
        if not (plan.run.folder / "config.json").exists():  # an existing run may be refused without a framework
            load_framework()
        if plan.virtual_size is not None:
            virtual_folder(plan.virtual_size, args.jobs)
        _train(plan, args)


def _train(plan: Plan, args: argparse.Namespace) -> None:
    """Start or continue a run, train its members, score them and write the submissions."""
    from joblib import effective_n_jobs

    from submissions.pseudo_labels import missing_pseudo_labels
    from submissions.run import open_run, start_run

    messages = start_run(plan.run, args.jobs, plan.fit_patches, missing_pseudo_labels(plan.run))
    load_framework()
    from models.training.backend import has_gpu
    from models.training.devices import device_count
    from models.training.options import TrainingOptions
    from submissions.train_run import train_run

    # A training on an accelerator, or on several devices, uses all of them.
    in_turn = has_gpu() or device_count() > 1
    started, processes = open_run(plan.run.folder), 1 if in_turn else effective_n_jobs(args.jobs)
    with log_file(started.folder, f"{PROGRAM} {shlex.join(args.words)}"):
        print_messages(messages)
        print(banner(started, plan.source, processes))
        train_run(started, processes, args.cluster is not None, TrainingOptions(args.log, args.save_every))
        _score(started)


def _score(started: "Run") -> None:
    """Score a trained run, write the submissions, and say where everything is."""
    from submissions.leaderboards.score import score_run
    from submissions.reports.report import write_report
    from submissions.submit import submit_run

    print(f"\n{score_run(started)}\n")
    for path in submit_run(started):
        print(f"submission   {path} (checked)")
    for path in sorted(started.folder.glob("*leaderboard.csv")):
        print(f"leaderboard  {path}")
    for path in write_report(started):
        print(f"report       {path}")
    print(f"models       {started.folder / ('folds' if started.folds else 'members')}")
    print(f"\nnext: {PROGRAM} {_next_command(started)}")


def _next_command(run: "Run") -> str:
    """What to do with a trained run: improve the submission of a competition, or predict photos."""
    from submissions.submit import has_equal_quotas

    if not run.task.camera or "test" not in run.images:
        return f"predict {run.folder} PHOTO…"
    return f"submit {run.folder} --fingerprints{' --balance exact' if has_equal_quotas(run) else ''}"
