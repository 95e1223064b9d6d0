"""How often the patch pipeline decodes each photo, by the number of workers.

    python -m benchmarks.decodes
    python -m benchmarks.decodes --photos 200 --side 4000 --workers 2 8 16

The memory for decoded photos holds a part of the photos (`--share`), so that patches are shuffled within blocks. `fit`
takes the batches with as many threads as the pipeline allows, and a tiny network. Prints, for each number of workers,
the decodes per photo and epoch, the patches per second and usable core (with the decoding, without the tracing of the
network), the fewest photos that a batch mixes, and the largest resident memory of the process.
"""

import argparse
import resource
import tempfile
from functools import partial
from pathlib import Path

import joblib
import keras
import numpy as np

from augment.loaders import TrainingPatches
from augment.patches import PatchConfig
from benchmarks.loaders import make_photos
from benchmarks.ratios import seconds
from competition.utils.threads import one_thread

EPOCHS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=160)
    parser.add_argument("--side", type=int, default=1088, help="side of a photo, pixels; default: as `prepare` cuts it")
    parser.add_argument("--size", type=int, default=512, help="side of a patch, pixels")
    parser.add_argument("--batch", type=int, default=16, help="patches per step")
    parser.add_argument("--patches", type=int, default=4, help="patches of each photo in an epoch")
    parser.add_argument("--share", type=float, default=0.25, help="share of the photos that fit into memory")
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 8, 16], help="threads")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = make_photos(Path(folder), options.photos, options.side)
        config = PatchConfig(
            size=options.size,
            batch_size=options.batch,
            patches_per_photo=options.patches,
            cache_bytes=int(options.share * options.photos * 3 * options.side**2),
        )
        print(f"{options.photos} photos of {options.side} px, {options.share:.0%} of them in memory")
        for workers in options.workers:
            targets = {"camera": np.zeros(options.photos, np.int32)}
            patches = TrainingPatches(table, folder, targets, config, workers=workers)
            model = tiny_model()
            with one_thread():  # as `train` does
                few = {"camera": targets["camera"][: options.batch]}
                model.fit(TrainingPatches(table[: options.batch], folder, few, config), verbose=0)  # traces the graph
                time = seconds(partial(model.fit, patches, epochs=EPOCHS, shuffle=False, verbose=0))
            decodes = patches.photo_cache.decodes / options.photos / EPOCHS
            rate = EPOCHS * len(patches) * options.batch / time / joblib.cpu_count()
            mixed = min(
                len(np.unique(rows))
                for rows in np.split(patches.photos(0), np.arange(options.batch, len(patches.photos(0)), options.batch))
                if len(rows) == options.batch
            )
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(
                f"{workers:3} workers: {decodes:.2f} decodes per photo and epoch, {rate:.0f} patches/s and core, "
                f"batches of {options.batch} patches mix at least {mixed} photos, {peak} MiB",
                flush=True,
            )


def tiny_model() -> keras.Model:
    """Return a compiled network that takes no time."""
    patch = keras.Input((None, None, 3), dtype="uint8", name="patch")
    flag = keras.Input((1,), name="is_manipulated")
    corner = keras.layers.Lambda(lambda pixels: keras.ops.cast(pixels[:, 0, 0], "float32") / 255)(patch)
    output = keras.layers.Dense(1, name="camera")(keras.layers.Concatenate()([corner, flag]))
    model = keras.Model({"patch": patch, "is_manipulated": flag}, {"camera": output})
    model.compile("sgd", {"camera": "mse"})
    return model


if __name__ == "__main__":
    main()
