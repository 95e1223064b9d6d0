"""The command `predict`: the cameras of photos, or the missing predictions of a run.

Tested by tests/commands/test_predict.py and tests/commands/test_main_job.py.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.framework import load_framework
from commands.messages import warn
from commands.options import add_json_option, at_least, messages_aside
from commands.paths import WHAT_TO_TRAIN, output_file, output_folder, run_folder
from commands.program import PROGRAM
from competition.utils.errors import InputError, suggest
from competition.utils.locks import lock_file, lock_folder

if TYPE_CHECKING:
    import pandas as pd

    from submissions.run import Run

HELP = "predict which camera took photos, or compute the missing predictions of a run"
EXAMPLE = f"{PROGRAM} predict runs/ensemble-quick-virtual-small holiday/ --out cameras.csv"
PRINTED_ROWS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=run_folder, metavar="RUN", help="folder of a run, or its name in runs/")
    parser.add_argument(
        "photos",
        type=Path,
        nargs="*",
        metavar="PHOTO",
        help="photos or folders; default: the validation and test images of the run",
    )
    parser.add_argument(
        "--manipulated",
        action="store_true",
        help="the photos were recompressed, resized or gamma-corrected after the camera wrote them",
    )
    parser.add_argument(
        "--patches",
        type=at_least(1),
        metavar="N",
        help="patches of each photo to look at; default: 4",
    )
    parser.add_argument(
        "--out", type=output_file, default=Path("cameras.csv"), metavar="FILE", help="default: cameras.csv"
    )
    parser.add_argument(
        "--explain",
        type=output_folder,
        metavar="DIR",
        help="also draw the evidence for the predicted camera of the first 20 photos into this folder",
    )
    parser.add_argument("--strict", action="store_true", help="exit with code 2 if a file is skipped")
    add_json_option(parser)


def run(args: argparse.Namespace) -> None:
    _check_trained(args.run)
    from submissions.run import open_run

    opened = open_run(args.run)
    if args.json and not args.photos:
        raise InputError(f"--json needs photos; for the scores of a run, see {PROGRAM} leaderboard {args.run}")
    if args.explain is not None:
        _check_explainable(opened, args)
    with lock_file(args.out) if args.photos else lock_folder(opened.folder), messages_aside(args.json):
        load_framework()
        if args.photos:
            table = _predict_photos(opened, args)
            if args.explain is not None:
                _explain_photos(opened, table, args)
        else:
            _predict_images(opened)
    if args.photos:
        _print_answers(table, args)


def _check_trained(run: Path) -> None:
    """Raise `InputError`, which says what to train, if the folder is no run."""
    if (run / "config.json").is_file():
        return
    runs = sorted(path.parent.as_posix() for path in run.parent.glob("*/config.json"))
    known = f"; {run.parent} has the runs {', '.join(runs)}{suggest(run.as_posix(), runs)}" if runs else ""
    raise InputError(f"{run} is not a trained run{known}; {WHAT_TO_TRAIN}")


def _check_explainable(opened: "Run", args: argparse.Namespace) -> None:
    """Raise `InputError` if there is nothing that `--explain` could draw."""
    if not args.photos:
        raise InputError(f"--explain needs photos; for the images of a run, see {PROGRAM} report {args.run}")
    if not opened.task.camera:
        raise InputError(f"--explain needs a run that predicts cameras, received the task {opened.task.name}")
    if any(recipe.patches.input != "patch" for recipe in opened.recipes.values()):
        raise InputError("--explain needs members that see patches of photos; those of this run see whole photos")


def _explain_photos(opened: "Run", table: "pd.DataFrame", args: argparse.Namespace) -> None:
    """Draw the evidence for the predicted cameras, and print where the pictures are."""
    from submissions.reports.explain import explain_photos

    answers = table[table["skipped"].isna()]
    photos = [Path(path) for path in answers["path"]]
    pictures = explain_photos(opened, photos, answers["camera"].tolist(), args.manipulated, args.explain)
    print(f"{args.explain}: {len(pictures)} pictures of the evidence for the predicted cameras")


def _predict_photos(opened: "Run", args: argparse.Namespace) -> "pd.DataFrame":
    """Predict the photos and write the table, which also lists the files that were skipped and why; returns it."""
    from competition.utils.atomic_files import write_csv
    from submissions.predict_photos import PATCHES, predict_photos

    table, skipped = predict_photos(opened, args.photos, args.manipulated, args.patches or PATCHES)
    rows = len(table)
    table = table.astype({"patches": "Int64", **({"unknown": "boolean"} if "unknown" in table else {})})
    table = table.reindex(range(rows + len(skipped))).assign(skipped=[*[None] * rows, *skipped.values()])
    table.loc[rows:, "path"] = list(skipped)
    write_csv(table, args.out)
    return table


def _print_answers(table: "pd.DataFrame", args: argparse.Namespace) -> None:
    """Print the table, and warnings to standard error.

    Raises:
        InputError: a file was skipped and the user wants that to be an error.
    """
    from competition.utils.tables import json_table, terminal_width, text_table
    from submissions.predict_photos import MIN_EVIDENCE

    skipped = table[table["skipped"].notna()]
    answers = table[table["skipped"].isna()]
    if args.json:
        print(json_table(table))
    else:
        print(text_table(_shown(answers.head(PRINTED_ROWS)), width=terminal_width()))
        if len(answers) > PRINTED_ROWS:
            print(f"… and {len(answers) - PRINTED_ROWS} more photos: all are in {args.out}")
        print(f"\n{args.out}: {len(answers)} photos, all probabilities")
    little = answers.loc[answers["evidence"] < MIN_EVIDENCE, "path"]
    if len(little):
        warn(
            f"{len(little)} photos are almost flat or saturated, such as {little.iloc[0]}: "
            "their predictions are little more than guesses"
        )
    for path, reason in zip(skipped["path"].head(PRINTED_ROWS), skipped["skipped"], strict=False):
        warn(f"skipped {path}: {reason}")
    if len(skipped) > PRINTED_ROWS:
        warn(f"skipped {len(skipped) - PRINTED_ROWS} more files: all are in {args.out}")
    if args.strict and len(skipped):
        raise InputError(f"{len(skipped)} of {len(table)} files were skipped; restore or remove them, or omit --strict")


def _shown(answers: "pd.DataFrame") -> dict[str, list[object]]:
    """The columns that are printed: heading → cells."""
    shown: dict[str, list[object]] = {"path": answers["path"].tolist()}
    if "camera" in answers:
        shown |= {name: answers[name].tolist() for name in ("camera", "probability")}
        shown["runner-up"] = [
            f"{name} {probability:.3f}"
            for name, probability in zip(answers["runner_up"], answers["runner_up_probability"], strict=True)
        ]
        shown["unknown"] = ["unknown?" if unknown else "" for unknown in answers["unknown"]]
    settings = [name for name in answers if f"{name}_probability" in answers and name != "runner_up"]
    shown |= {name: answers[name].tolist() for name in settings}
    shown["patches"] = [int(count) for count in answers["patches"]]
    return shown


def _predict_images(opened: "Run") -> None:
    """Compute the missing predictions of a run, and score it."""
    from submissions.blending import merge_folds
    from submissions.confidence.activations import save_activations
    from submissions.leaderboards.score import score_run
    from submissions.members import predict_member

    for part in opened.parts:
        for member in part.members:
            predict_member(part, member)
    merge_folds(opened)
    if opened.task.camera:
        save_activations(opened)
    print(score_run(opened))
