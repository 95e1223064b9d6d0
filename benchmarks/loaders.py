"""Cost of the patch pipeline: training fed by it against the same model fed from arrays in memory.

    python -m benchmarks.loaders
    python -m benchmarks.loaders --members mobilenet resnet50 --size 512 --batch 16 --cache-mib 0

Prints, for each backbone, the ratio of the two throughputs: the median of interleaved rounds, and the lowest and the
highest. At 1.00 the pipeline costs nothing. The photos are smoothed noise, made for the run. They are decoded before
the clock starts, unless `--cache-mib` is too small to hold them; the pipeline then decodes each photo once per epoch.
`KERAS_BACKEND` selects the framework. On a GPU the models train in mixed precision.
"""

import argparse
import tempfile
from pathlib import Path

import cv2
import keras
import numpy as np
import pandas as pd

from augment.loaders import TrainingPatches
from augment.patches import PatchConfig
from augment.prefetch import WORKERS
from benchmarks.ratios import seconds, summary
from competition.utils.threads import one_thread
from models.backbones import BACKBONES
from models.classifier import build
from models.presets import classifier_recipe
from models.training.backend import devices, has_gpu, jit_compile

CAMERAS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", nargs="+", choices=BACKBONES, default=list(BACKBONES), help="backbones")
    parser.add_argument("--size", type=int, default=96, help="side of a patch, pixels")
    parser.add_argument("--batch", type=int, default=16, help="patches per step")
    parser.add_argument("--steps", type=int, default=20, help="steps per round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--side", type=int, default=1024, help="side of a photo, pixels")
    parser.add_argument("--cache-mib", type=int, default=1024, help="memory for decoded photos, MiB")
    parser.add_argument("--workers", type=int, default=WORKERS, help="threads of the pipeline")
    options = parser.parse_args()

    where = f"{keras.backend.backend()} on {', '.join(devices())}"
    print(f"{where}, patches of {options.size} px, batch {options.batch}")
    with tempfile.TemporaryDirectory() as folder:
        table = make_photos(Path(folder), options.photos, options.side)
        config = PatchConfig(
            size=options.size,
            batch_size=options.batch,
            patches_per_photo=-(-options.steps * options.batch // options.photos),
            cache_bytes=options.cache_mib * 2**20,
        )
        targets = {"camera": np.arange(options.photos, dtype=np.int32) % CAMERAS}
        patches = TrainingPatches(table, folder, targets, config, workers=options.workers)
        for member in options.members:
            print(compare(make_model(member, options.size), patches, options.rounds), flush=True)
            keras.backend.clear_session()


def make_photos(folder: Path, photos: int, side: int) -> pd.DataFrame:
    """Write JPEG photos of smoothed noise, about half a megabyte at 1024 pixels, and return their manifest."""
    rng = np.random.default_rng(0)
    paths = [f"{number}.jpg" for number in range(photos)]
    for path in paths:
        noise = rng.integers(0, 256, (side, side, 3), np.uint8)
        cv2.imwrite(str(folder / path), cv2.GaussianBlur(noise, (3, 3), 0), (cv2.IMWRITE_JPEG_QUALITY, 90))
    sizes = {"width": side, "height": side}
    return pd.DataFrame({"path": paths, **sizes, "manipulation": "unaltered", "split": "train"})


def make_model(member: str, size: int) -> keras.Model:
    """Build and compile a member as `train` does, in float32 on a CPU and in mixed precision on a GPU."""
    precision = "mixed_float16" if has_gpu() else "float32"
    recipe = classifier_recipe("quick", member, patch=size, precision=precision)
    model = build(member, recipe, {"camera": CAMERAS})
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=jit_compile())
    return model


def compare(model: keras.Model, patches: TrainingPatches, rounds: int) -> str:
    """Train alternately from memory and from the pipeline; return a line with both throughputs and their ratio."""
    batches = [patches.batch(0, index) for index in range(len(patches))]
    inputs, targets, weights = (
        {name: np.concatenate([batch[part][name] for batch in batches]) for name in batches[0][part]}
        for part in range(3)
    )
    count = len(inputs["patch"])
    size = patches.config.batch_size

    def from_memory() -> None:
        model.fit(inputs, targets, batch_size=size, sample_weight=weights, shuffle=False, verbose=0)

    def from_pipeline() -> None:
        model.fit(patches, shuffle=False, verbose=0)

    times = []
    with one_thread():  # as `train` does
        for number in range(rounds + 1):
            order = (from_memory, from_pipeline) if number % 2 else (from_pipeline, from_memory)
            taken = {feed: seconds(feed) for feed in order}
            if number:  # the first round compiles
                times.append((taken[from_memory], taken[from_pipeline]))
    memory, pipeline = np.array(times).T
    return (
        f"{model.name:20} {count / np.median(memory):8.1f} patches/s from memory,"
        f" {count / np.median(pipeline):8.1f} from the pipeline; ratio {summary(memory / pipeline, digits=3)}"
    )


if __name__ == "__main__":
    main()
