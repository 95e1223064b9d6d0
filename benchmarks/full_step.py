"""One optimizer step of the preset `full` for each backbone: its time, and the peak memory of the process.

    python -m benchmarks.full_step
    python -m benchmarks.full_step --members resnet50 --batch 32 --steps 50

Each backbone runs in a process of its own, so that the peak is its own. It is built, compiled and frozen as `train`
does it, except for the average of the weights, in mixed precision and with weights drawn at random, so that nothing is
downloaded. The first step includes tracing and compiling. The peak is that of the resident memory of the process; on a
GPU, the peak of the GPU's memory is printed, too.

On a GPU it also prints patches per second, fed by the patch pipeline, and the ratio to the same network fed with one
constant batch: the median of interleaved rounds, and the lowest and the highest. At 1.00 the pipeline costs nothing.
The last line is the rate of predictions in all eight dihedral views, making them included. `--rounds` does the same
on a CPU.
"""

import argparse
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.ratios import seconds, summary
from models.backbones import BACKBONES
from models.members import ENSEMBLE
from models.presets import classifier_recipe

HEADS = {"camera": 10}
STEPS_OF_A_TRAINING = 1000  # of the schedule of the learning rate
PHOTO = 1088  # pixels: large enough for 512 pixels at every manipulation
PHOTOS = 32
PATCHES = 20  # of each photo in a round


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", nargs="+", choices=BACKBONES, default=list(ENSEMBLE), help="backbones")
    parser.add_argument("--size", type=int, default=512, help="side of a patch, pixels")
    parser.add_argument("--batch", type=int, help="patches per step (default: 16 on a GPU, 2 on a CPU)")
    parser.add_argument("--steps", type=int, help="steps after the first (default: 20 on a GPU, 1 on a CPU)")
    parser.add_argument("--rounds", type=int, help="rounds with the patch pipeline (default: 5 on a GPU, 0 on a CPU)")
    options = parser.parse_args()

    run = partial(measure, size=options.size, batch=options.batch, steps=options.steps, rounds=options.rounds)
    for member in options.members:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            print(pool.submit(run, member).result(), flush=True)


def measure(member: str, size: int, batch: int | None, steps: int | None, rounds: int | None) -> str:
    """Train a backbone for some steps in this process; return a line with the results."""
    import keras
    import numpy as np

    from models.classifier import build, freeze_front_end
    from models.training.backend import devices, has_gpu
    from models.training.fit import compile_classifier

    gpu = has_gpu()
    batch = batch or (16 if gpu else 2)
    steps = steps or (20 if gpu else 1)
    rounds = (5 if gpu else 0) if rounds is None else rounds
    # Without the average of the weights: after a `fit` with it, Keras on JAX cannot `fit` the same network again.
    recipe = classifier_recipe("full", member, weights="none", patch=size, batch=batch, average_epochs=0)
    model = build(member, recipe, HEADS)
    freeze_front_end(model)
    compile_classifier(model, recipe, HEADS, STEPS_OF_A_TRAINING)
    rng = np.random.default_rng(0)
    patches = rng.integers(0, 256, (batch, size, size, 3), dtype=np.uint8)
    inputs = {"patch": patches, "is_manipulated": np.zeros((batch, 1), np.float32)}
    targets = {"camera": rng.integers(0, 10, batch).astype(np.int32)}
    step = partial(model.train_on_batch, inputs, targets)
    first = seconds(step)
    times = [seconds(step) for _ in range(steps)]
    lines = [
        f"{member:18} {model.count_params():,} parameters, {keras.backend.backend()} on {', '.join(devices())}, "
        f"{recipe.precision}, batch {batch} at {size} px: first step {first:.1f} s, then "
        f"{summary(times, digits=3)} s; peak memory {peak_mib():,.0f} MiB{gpu_peak()}"
    ]
    if rounds:
        lines.append(f"{'':18} {compare_feeds(model, recipe, rounds)}")
        lines.append(f"{'':18} {predict_views(model, patches, rounds)}")
    return "\n".join(lines)


def compare_feeds(model: Any, recipe: Any, rounds: int) -> str:
    """Train alternately from the pipeline and on one constant batch; return both throughputs and their ratio."""
    import numpy as np

    from augment.loaders import TrainingPatches
    from benchmarks.loaders import make_photos
    from competition.utils.threads import one_thread

    with tempfile.TemporaryDirectory() as folder:
        table = make_photos(Path(folder), PHOTOS, PHOTO)
        labels = {"camera": np.arange(PHOTOS, dtype=np.int32) % HEADS["camera"]}
        patches = TrainingPatches(table, folder, labels, replace(recipe.patches, patches_per_photo=PATCHES))
        batch, steps = patches.batch(0, 0), len(patches)

        def constant() -> Iterator[Any]:
            for _ in range(steps):
                yield batch

        feeds: dict[str, Callable[[], object]] = {
            "constant": lambda: model.fit(constant(), steps_per_epoch=steps, shuffle=False, verbose=0),
            "pipeline": lambda: model.fit(patches, shuffle=False, verbose=0),
        }
        rates: dict[str, list[float]] = {name: [] for name in feeds}
        with one_thread():  # as `train` does
            for number in range(rounds + 1):
                for name in sorted(feeds, reverse=bool(number % 2)):
                    taken = seconds(feeds[name])
                    if number:  # the first round compiles
                        rates[name].append(steps * recipe.patches.batch_size / taken)
    ratios = np.divide(rates["pipeline"], rates["constant"])
    return (
        f"{statistics.median(rates['pipeline']):.1f} patches/s from the pipeline, "
        f"{statistics.median(rates['constant']):.1f} from a constant batch; ratio {summary(ratios, digits=3)}"
    )


def predict_views(model: Any, patches: Any, rounds: int) -> str:
    """Predict all dihedral views of a batch of patches; return the images per second."""
    import numpy as np

    from augment.dihedral import N_TRANSFORMS, dihedral_views
    from competition.utils.threads import one_thread

    flags = np.zeros((N_TRANSFORMS * len(patches), 1), np.float32)

    def predict() -> None:
        model.predict_on_batch({"patch": dihedral_views(patches, N_TRANSFORMS), "is_manipulated": flags})

    with one_thread():
        predict()
        rates = [len(patches) / seconds(predict) for _ in range(rounds)]
    return f"{summary(rates, digits=3)} images/s in all eight views"


def peak_mib() -> float:
    """Peak of the resident memory of this process, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def gpu_peak() -> str:
    """Peak of the GPU's memory, as an addition to a line; empty without a GPU."""
    import keras

    from models.training.backend import has_gpu

    if not has_gpu():
        return ""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        peak = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    elif backend == "jax":
        import jax

        peak = jax.local_devices()[0].memory_stats()["peak_bytes_in_use"]
    else:
        import torch

        peak = torch.cuda.max_memory_allocated()
    return f", of the GPU {peak / 2**20:,.0f} MiB"


if __name__ == "__main__":
    main()
