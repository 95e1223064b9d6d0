"""Exported networks beside Keras: largest difference of a probability, size, and time of a patch on one core.

    python -m benchmarks.export runs/ensemble-quick-virtual-small --photos ../shared/photos
    python -m benchmarks.export runs/ensemble-quick-virtual-small --photos DIR --networks ensemble --formats onnx

Exports every member and the ensemble of a run, or those named by `--networks`, to each format, in a temporary folder.
Patches are the centers of photos below `--photos` that are large enough, the first `--count` of them in the order of
their names, half of them with the flag `is_manipulated`. The process runs on one core. Times are those of one patch per
call, the median of interleaved rounds of one pass over `--timed` patches, with the lowest and the highest; ratios are
within each round.
"""

import argparse
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

THREADS = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
MIB = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a trained run")
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos")
    parser.add_argument("--formats", nargs="+", default=["onnx", "litert", "saved-model"])
    parser.add_argument("--networks", nargs="+", help="members, or ensemble; default: all")
    parser.add_argument("--count", type=int, default=50, help="photos to compare")
    parser.add_argument("--timed", type=int, default=3, help="patches in a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ.update(THREADS)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    from models.export.standalone import patch_side
    from submissions.exports.export_run import centers, run_networks
    from submissions.run import open_run

    run = open_run(options.run)
    known = [*run.recipes, "ensemble"]
    if unknown := set(options.networks or known) - set(known):
        raise SystemExit(f"error: the run has no network {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    side = max(recipe.test_patch for recipe in run.recipes.values())
    patches = real_patches(options.photos, side, options.count)
    flags = (np.arange(len(patches)) % 2).astype(np.float32)[:, None]
    print(f"{len(patches)} patches of {side}x{side} pixels from {options.photos.name}")
    with tempfile.TemporaryDirectory() as folder:
        for network in run_networks(run):
            if network.name not in (options.networks or known):
                continue
            for line in measure(network, options, Path(folder), centers(patches, patch_side(network)), flags):
                print(line, flush=True)


def real_patches(folder: Path, side: int, count: int) -> np.ndarray:
    """Return the centers of the first photos that are large enough, uint8 (count, side, side, 3)."""
    from augment.crops import center_offset
    from augment.decode import read_pixels
    from competition.utils.errors import InputError
    from competition.utils.find_photos import find_photos

    patches: list[np.ndarray] = []
    for path in find_photos(folder, recursive=True):
        try:
            pixels = read_pixels(path)
            top, left = (center_offset(length, side) for length in pixels.shape[:2])
        except InputError:  # not RGB, or too small
            continue
        patches.append(pixels[top : top + side, left : left + side])
        if len(patches) == count:
            break
    if len(patches) < count:
        raise SystemExit(f"error: {folder} has {len(patches)} photos of at least {side} pixels, expected {count}")
    return np.stack(patches)


def measure(
    network: Any, options: argparse.Namespace, folder: Path, patches: np.ndarray, flags: np.ndarray
) -> list[str]:
    """Export a network to each format and compare it with Keras; return one line for each format."""
    from benchmarks.ratios import seconds, summary
    from models.export.checked import export_checked, file_bytes, predict_reference
    from models.export.formats import find_format

    reference = predict_reference(network, patches, flags)
    paths, differences = {}, {}
    for name in options.formats:
        paths[name], differences[name] = export_checked(network, folder / name, name, reference)
    predictors = {name: find_format(name).read(path, 1) for name, path in paths.items()}
    predictors = {
        "Keras": lambda patch, flag: network.predict_on_batch({"patch": patch, "is_manipulated": flag}),
        **predictors,
    }
    times: dict[str, list[float]] = {name: [] for name in predictors}
    for number in range(options.rounds + 1):
        for name in sorted(predictors, reverse=bool(number % 2)):
            taken = seconds(partial(run_patches, predictors[name], patches[: options.timed], flags))
            if number:  # the first round compiles
                times[name].append(taken / options.timed)
    lines = [f"{network.name:20} {'Keras':12} {'':10} {'':8} {summary(times['Keras'], digits=3)} s"]
    for name in options.formats:
        ratio = summary(np.divide(times[name], times["Keras"]))
        lines.append(
            f"{network.name:20} {name:12} {file_bytes(paths[name]) / MIB:6.1f} MiB {differences[name]:8.1e} "
            f"{summary(times[name], digits=3)} s, / Keras {ratio}"
        )
    return lines


def run_patches(predict: Any, patches: np.ndarray, flags: np.ndarray) -> None:
    for patch, flag in zip(patches[:, None], flags[:, None], strict=False):
        predict(patch, flag)


if __name__ == "__main__":
    main()
