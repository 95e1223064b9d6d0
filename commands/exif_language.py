"""`./run.sh train exif-language`: one space for patches and EXIF text."""

import argparse
from pathlib import Path

from commands.data_folder import check_folder, virtual_folder
from commands.framework import load_framework
from competition.utils.errors import InputError
from models.exif_language.recipe import ENCODERS
from models.presets import EXIF_LANGUAGE, find_preset, preset_names

CHANGES = ("epochs", "patch", "batch", "learning_rate")


def run_exif_language(args: argparse.Namespace) -> None:
    """Train by the arguments of `train`: data, preset, run, seed, jobs, epochs, patch, batch and learning_rate, each
    None where not given (seed and jobs have defaults), and `backbone`, one of `models.exif_language.recipe.ENCODERS` or
    None."""
    check_folder(args.data)
    names = preset_names(EXIF_LANGUAGE)
    if args.preset is not None and args.preset not in names:
        raise InputError(f"exif-language has no preset {args.preset}; give one of {', '.join(names)}")
    if args.backbone is not None and args.backbone not in ENCODERS:
        raise InputError(f"unknown backbone {args.backbone}; known: {', '.join(ENCODERS)}")
    load_framework()
    from models.training.backend import has_gpu
    from submissions.exif_language import train_exif_language

    preset = args.preset or ("paper" if args.data is not None and has_gpu() else "quick")
    data = args.data or virtual_folder(find_preset(EXIF_LANGUAGE, preset).virtual_size, args.jobs)
    looks = f"-{args.backbone}" if args.backbone else ""
    folder = Path("runs") / (args.run or f"exif-language{looks}-{preset}-{data.resolve().name}")
    changes = {name: getattr(args, name) for name in CHANGES}
    history = train_exif_language(folder, data, preset, args.backbone, args.seed, args.jobs, **changes)
    best = history.loc[history["val_loss"].idxmin()]
    print(f"run {folder}: {len(history)} epochs, the best is {best['epoch']:.0f}")
    for name in ("image_to_text", "text_to_image", "chance"):
        told = ", ".join(f"{best[f'{name}_{rank}']:.3f} at {rank}" for rank in (1, 5, 10))
        print(f"{name.replace('_', ' '):<14} recall {told}")
    print(f"encoders       {folder / 'image.keras'}, {folder / 'text.keras'}")
