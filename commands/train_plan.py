"""The run that the options of `train` ask for. They are checked here, before a framework is loaded.

Tested by tests/commands/test_train_plan.py and tests/commands/test_wrong_calls.py.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.data_folder import check_folder, default_preset, open_folder, virtual_path
from commands.paths import RUNS
from commands.program import PROGRAM
from competition.utils.errors import InputError, unknown_name
from models.members import ENSEMBLE, EXIF_LANGUAGE, MEMBERS

if TYPE_CHECKING:
    from models.recipe import Recipe
    from submissions.run import Run

TRAINING_OPTIONS = ("average_epochs", "label_smoothing", "mixup", "accumulate")
RECIPE_OPTIONS = (
    *("front_end", "weights", "epochs", "patch", "batch", "learning_rate", "input", "tau", "augment"),
    *TRAINING_OPTIONS,
)
TASK_OPTIONS = ("bins", "edges", "output", "order", "label_balance")  # fields of `submissions.tasks.Task`
SETTINGS_OPTIONS = (*TASK_OPTIONS, "tau")  # they only apply to a task with settings
FOLD_OPTIONS = ("folds", "fold_of_member")
PSEUDO_OPTIONS = ("pseudo_labels", "confidence")
CONFIDENCE = 0.9
NO_LIMIT = "does not apply with folds, in which every photo is validated once"
CLASSIFIER_OPTIONS = (
    "task",
    "members",
    "photos",
    "validation_photos",
    "front_end",
    "weights",
    "input",
    "augment",
    "log",
    "save_every",
    *FOLD_OPTIONS,
    *PSEUDO_OPTIONS,
    *TRAINING_OPTIONS,
    "cluster",
    *SETTINGS_OPTIONS,
)


@dataclass(frozen=True)
class Plan:
    """A run to train.

    Attributes:
        run: its configuration.
        source: the name of its preset, or where its recipes come from, for the user.
        virtual_size: size of the virtual competition that is its data; None for photos of the user.
        fit_patches: whether patches may become smaller, see `submissions.run.start_run`.
    """

    run: "Run"
    source: str
    virtual_size: str | None
    fit_patches: bool


def check_exif_language(args: argparse.Namespace) -> None:
    """Raise `InputError` for an option that only classifiers have."""
    _check_not_given(args, CLASSIFIER_OPTIONS, f"does not apply to {EXIF_LANGUAGE}")


def plan_run(args: argparse.Namespace) -> Plan:
    """Return the run of classifiers that the options ask for. Raises `InputError` for options that do not fit."""
    _check_not_given(args, ["backbone"], f"only applies to {EXIF_LANGUAGE}, because a member is its own backbone")
    if args.task in (None, "camera"):
        _check_not_given(args, SETTINGS_OPTIONS, "only applies with --task settings or --task camera,settings")
    else:
        _check_not_given(args, (*FOLD_OPTIONS, *PSEUDO_OPTIONS), "only applies with --task camera")
    if args.pseudo_labels is None:
        _check_not_given(args, ["confidence"], "only applies with --pseudo-labels")
    members = _members(args.what, args.members)
    folds = _folds(args, members)
    if folds:
        _check_not_given(args, ["validation_photos"], NO_LIMIT)
    check_folder(args.data)
    changes = _changes(args)

    from models.presets import classifier_recipe, find_preset
    from submissions.run import Run
    from submissions.tasks import Task

    task = Task(args.task or "camera", **_given_values(args, TASK_OPTIONS))

    def recipes(preset: str) -> dict[str, "Recipe"]:
        return {member: classifier_recipe(preset, member, task.name, **changes) for member in members}

    preset = args.preset
    if preset is None:
        _check_any(recipes, ("quick",) if args.data is None else ("full", "quick"))
        preset = default_preset(args.data, on_gpu="full")
    found = find_preset(task.name, preset)
    if args.label_balance is None:
        task = replace(task, label_balance=found.label_balance)
    made = recipes(preset)
    _check_pipeline(made.values())
    data = open_folder(args.data) if args.data else virtual_path(found.virtual_size)
    suffix = "" if task.name == "camera" else f"-{task.name.replace(',', '-')}"
    if args.augment is not None:
        suffix += f"-{Path(args.augment).stem}"
    name = args.run or f"{args.what}{suffix}-{preset}-{data.resolve().name}"
    run = Run(RUNS / name, data, made, args.seed or 0, task, args.photos, folds, bool(args.fold_of_member))
    run = replace(run, validation_photos=args.validation_photos)
    if args.pseudo_labels is not None:
        confidence = CONFIDENCE if args.confidence is None else args.confidence
        run = replace(run, pseudo_labels=args.pseudo_labels, confidence=confidence)
    return Plan(run, preset, None if args.data else found.virtual_size, fit_patches=args.patch is None)


def plan_repetition(args: argparse.Namespace) -> Plan:
    """Return the run whose config.json is the file of `--config`, with the options that are given.

    Raises `InputError` for options that do not fit.
    """
    reason = f"does not apply to a run that {args.config} describes"
    _check_not_given(args, ["preset", "task", "backbone", *FOLD_OPTIONS, *PSEUDO_OPTIONS], reason)
    if args.what is not None:
        raise InputError(f"{args.config} describes a run with its members; leave out {args.what!r}, or give --members")

    from models.presets import change_recipe
    from submissions.run import open_run

    if args.config.name != "config.json":
        raise InputError(
            f"{args.config} describes a run; expected the name config.json, in a folder named after the run"
        )
    found = open_run(args.config.parent)
    if found.fold_of_member:
        _check_not_given(args, ["members"], "does not apply to a run with one fold for each member")
    if found.folds:
        _check_not_given(args, ["validation_photos"], NO_LIMIT)
    changes = _changes(args)
    recipes = {member: change_recipe(recipe, member, **changes) for member, recipe in found.recipes.items()}
    for member in args.members or ():
        if member not in recipes:
            raise unknown_name(f"member in {args.config}", member, recipes)
    check_folder(args.data or found.data)
    data = open_folder(args.data) if args.data else found.data
    run = replace(
        found,
        folder=RUNS / (args.run or f"{found.folder.name}-again"),
        data=data,
        recipes={member: recipes[member] for member in args.members or recipes},
        seed=found.seed if args.seed is None else args.seed,
        task=replace(found.task, **_given_values(args, TASK_OPTIONS)),
        photos=args.photos or found.photos,
        validation_photos=args.validation_photos or found.validation_photos,
    )
    _check_pipeline(run.recipes.values())
    return Plan(run, f"as in {args.config}", None, fit_patches=args.data is not None and args.patch is None)


def _changes(args: argparse.Namespace) -> dict[str, Any]:
    """The changes of the recipes that are given, for `models.presets.classifier_recipe`."""
    changes = _given_values(args, RECIPE_OPTIONS)
    if "augment" in changes:
        from augment.pipelines import read_pipeline

        changes["augment"] = read_pipeline(args.augment)
    return changes


def _check_any(recipes: Callable[[str], Mapping[str, "Recipe"]], presets: Sequence[str]) -> None:
    """Raise `InputError` if the options fit none of the presets.

    Which of them is the default depends on the devices, and only a framework knows these.
    """
    error = InputError()
    for preset in presets:
        try:
            recipes(preset)
        except InputError as found:
            error = found
        else:
            return
    raise error


def _folds(args: argparse.Namespace, members: Sequence[str]) -> int:
    """The number of folds; 0 for one split."""
    if not args.fold_of_member:
        return args.folds or 0
    _check_not_given(args, ["folds"], "does not apply with --fold-of-member, which has as many folds as members")
    if len(members) < 2:
        raise InputError(f"--fold-of-member needs at least 2 members, received {len(members)}; use --folds instead")
    return len(members)


def _check_pipeline(recipes: Iterable["Recipe"]) -> None:
    """Raise `InputError` if the pipeline of some recipes does not return what their patches can be cut from."""
    stages = [stage for recipe in recipes for stage in (recipe, recipe.front_end_recipe) if stage is not None]
    for augment, size in {(stage.patches.augment, stage.patches.size) for stage in stages}:
        if augment is not None:
            from augment.pipelines import check_size

            check_size(augment, size)


def _given_values(args: argparse.Namespace, options: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(args, name) for name in options if getattr(args, name) is not None}


def _check_not_given(args: argparse.Namespace, options: Sequence[str], reason: str) -> None:
    """Raise `InputError` for an option that would have no effect."""
    for option in _given_values(args, options):
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
