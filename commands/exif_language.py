"""The command `train exif-language`: a joint embedding of patches and EXIF text."""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from commands.data_folder import check_folder, default_preset, open_folder, virtual_folder, virtual_path
from commands.framework import load_framework
from commands.log_file import log_file
from commands.paths import RUNS, check_output_folder
from commands.program import PROGRAM
from competition.utils.errors import InputError
from competition.utils.locks import lock_folder
from models.members import EXIF_LANGUAGE

if TYPE_CHECKING:
    from models.exif_language.recipe import DualEncoderRecipe

RECIPE_OPTIONS = ("epochs", "patch", "batch", "learning_rate")


def run_exif_language(args: argparse.Namespace) -> None:
    """Train with the options of `train`: data, preset, run, backbone, seed, jobs and `RECIPE_OPTIONS`."""
    check_folder(args.data)
    from models.presets import dual_encoder_recipe, find_preset

    changes = {name: getattr(args, name) for name in RECIPE_OPTIONS}
    if args.preset is None:
        dual_encoder_recipe("quick", args.backbone, **changes)  # raises InputError before the framework is loaded
    preset = args.preset or default_preset(args.data, on_gpu="paper")
    recipe = dual_encoder_recipe(preset, args.backbone, **changes)
    size = None if args.data else find_preset(EXIF_LANGUAGE, preset).virtual_size
    data = open_folder(args.data) if size is None else virtual_path(size)
    backbone = f"-{args.backbone}" if args.backbone else ""
    folder = RUNS / (args.run or f"{EXIF_LANGUAGE}{backbone}-{preset}-{data.resolve().name}")
    _train(args, folder, data, recipe, args.seed or 0, size)


def repeat_exif_language(args: argparse.Namespace) -> None:
    """Train the run whose config.json is the file of `--config`, with the options data, run, seed and jobs."""
    other = [name for name in ("what", "preset", "backbone", *RECIPE_OPTIONS) if getattr(args, name) is not None]
    if other:
        raise InputError(
            f"{args.config} describes an {EXIF_LANGUAGE} run, to which only --data, --run and --seed apply; "
            f"leave out {other[0].replace('_', '-')}"
        )
    from submissions.exif_language import read_exif_run

    found = read_exif_run(args.config.parent)
    check_folder(args.data or found.data)
    data = open_folder(args.data) if args.data else found.data
    folder = RUNS / (args.run or f"{found.folder.name}-again")
    _train(args, folder, data, found.recipe, found.seed if args.seed is None else args.seed, None)


def _train(
    args: argparse.Namespace, folder: Path, data: Path, recipe: "DualEncoderRecipe", seed: int, size: str | None
) -> None:
    """Train a run, on the virtual competition of a size unless it is None, and describe it."""
    check_output_folder(folder)
    from submissions.exif_language import start_exif_run, train_exif_language

    with lock_folder(folder):
        if not (folder / "config.json").exists():  # an existing run may be refused without a framework
            load_framework()
        if size is not None:
            virtual_folder(size, args.jobs)
        start_exif_run(folder, data, recipe, seed, args.jobs)
        load_framework()
        from submissions.splices.calibrate import calibrate_run

        with log_file(folder, f"{PROGRAM} {shlex.join(args.words)}"):
            history = train_exif_language(folder, data, recipe, seed, args.jobs)
            calibrate_run(folder, data)
            best = history.loc[history["val_loss"].idxmin()]
            print(f"run {folder}: {len(history)} epochs, the best is {best['epoch']:.0f}")
            for name in ("image_to_text", "text_to_image", "chance"):
                recalls = ", ".join(f"{best[f'{name}_{rank}']:.3f} at {rank}" for rank in (1, 5, 10))
                print(f"{name.replace('_', ' '):<14} recall {recalls}")
            print(f"encoders       {folder / 'image.keras'}, {folder / 'text.keras'}")
