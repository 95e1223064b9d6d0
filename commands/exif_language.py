"""The command `train exif-language`: a joint embedding of patches and EXIF text."""

import argparse
from pathlib import Path

from commands.data_folder import check_folder, default_preset, virtual_folder
from commands.framework import load_framework
from models.members import EXIF_LANGUAGE

RECIPE_OPTIONS = ("epochs", "patch", "batch", "learning_rate")


def run_exif_language(args: argparse.Namespace) -> None:
    """Train with the options of `train`: data, preset, run, backbone, seed, jobs and `RECIPE_OPTIONS`."""
    check_folder(args.data)
    from models.presets import dual_encoder_recipe, find_preset

    changes = {name: getattr(args, name) for name in RECIPE_OPTIONS}
    preset = args.preset or default_preset(args.data, on_gpu="paper")
    dual_encoder_recipe(preset, args.backbone, **changes)  # raises InputError for invalid options

    load_framework()
    from submissions.exif_language import train_exif_language

    data = args.data or virtual_folder(find_preset(EXIF_LANGUAGE, preset).virtual_size, args.jobs)
    backbone = f"-{args.backbone}" if args.backbone else ""
    folder = Path("runs") / (args.run or f"{EXIF_LANGUAGE}{backbone}-{preset}-{data.resolve().name}")
    history = train_exif_language(folder, data, preset, args.backbone, args.seed, args.jobs, **changes)
    best = history.loc[history["val_loss"].idxmin()]
    print(f"run {folder}: {len(history)} epochs, the best is {best['epoch']:.0f}")
    for name in ("image_to_text", "text_to_image", "chance"):
        recalls = ", ".join(f"{best[f'{name}_{rank}']:.3f} at {rank}" for rank in (1, 5, 10))
        print(f"{name.replace('_', ' '):<14} recall {recalls}")
    print(f"encoders       {folder / 'image.keras'}, {folder / 'text.keras'}")
