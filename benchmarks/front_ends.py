"""Training throughput of the front end `dct` of the preset `quick` against the pixel network `convnet`.

    python -m benchmarks.front_ends
    python -m benchmarks.front_ends --size 256 --patches 512 --rounds 7

Both are compiled as `train` does it, and read the same patches of noise from memory: what cutting and manipulating
patches costs is not counted. That cost is paid once per patch by `dctnet` and in every epoch by `convnet`.

- features: patches per second whose DCT and histograms are computed, as `train` does it once for every patch;
- training: patches per second and epoch in training on these features;
- overall: patches per second and epoch in the whole training: epochs / (1 / features + epochs / training), with the
  epochs of the recipe;
- convnet: patches per second and epoch in training end to end.

Prints the median of interleaved rounds, and the lowest and the highest, and the ratios within each round.
"""

import argparse
import statistics
from collections.abc import Callable

import keras
import numpy as np

from benchmarks.ratios import seconds, summary
from models.classifier import build
from models.presets import classifier_recipe
from models.recipe import change
from models.training.backend import devices
from models.training.features import PIECE, FeatureBatches, fixed_layer, split_network
from models.training.fit import compile_classifier

HEADS = {"camera": 10}
STEPS_OF_A_TRAINING = 1000  # of the schedule of the learning rate
ALONE, PIXELS = "dctnet", "convnet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256, help="side of a patch, pixels")
    parser.add_argument("--patches", type=int, default=256, help="patches whose features are computed in a round")
    parser.add_argument("--features", type=int, default=12800, help="patches trained on in a round, as features")
    parser.add_argument("--pixels", type=int, default=96, help="patches on which convnet is trained in a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    recipe = change(classifier_recipe("quick", ALONE), size=options.size)
    pixel_recipe = change(classifier_recipe("quick", PIXELS), size=options.size)
    rng = np.random.default_rng(0)
    patches = rng.integers(0, 256, (options.patches, options.size, options.size, 3), dtype=np.uint8)
    works = {
        "features": compute_features(patches),
        "training": train_on_features(patches[:PIECE], options.features),
        PIXELS: train_on_pixels(patches[: options.pixels]),
    }
    counts = {"features": len(patches), "training": options.features, PIXELS: len(patches[: options.pixels])}
    rates: dict[str, list[float]] = {name: [] for name in works}
    for number in range(options.rounds + 1):
        for name in sorted(works, reverse=bool(number % 2)):
            taken = seconds(works[name])
            if number:  # the first round compiles
                rates[name].append(counts[name] / taken)
    features, training, pixels = (np.array(rates[name]) for name in works)
    overall = recipe.epochs / (1 / features + recipe.epochs / training)
    print(
        f"{keras.backend.backend()} on {', '.join(devices())}, patches of {options.size} px, {recipe.epochs} epochs, "
        f"batches of {recipe.patches.batch_size} ({ALONE}) and {pixel_recipe.patches.batch_size} ({PIXELS})"
    )
    for name, rate in {"features": features, "training": training, "overall": overall, PIXELS: pixels}.items():
        print(f"{name:9} {statistics.median(rate):10.1f} patches/s ({rate.min():.1f} to {rate.max():.1f})")
    for name, rate in {"features": features, "training": training, "overall": overall}.items():
        print(f"{name:9} / {PIXELS}: ratio {summary(rate / pixels, digits=1)}")


def compute_features(patches: np.ndarray) -> Callable[[], object]:
    """A function that computes the features of all patches, in pieces as `train` does it."""
    extractor, _ = split_dctnet()
    return lambda: [
        extractor.predict_on_batch(patches[start : start + PIECE]) for start in range(0, len(patches), PIECE)
    ]


def train_on_features(patches: np.ndarray, count: int) -> Callable[[], object]:
    """A function that trains for an epoch on `count` rows of features: those of `patches` again and again."""
    recipe = classifier_recipe("quick", ALONE)
    extractor, network = split_dctnet()
    compile_classifier(network, recipe, HEADS, STEPS_OF_A_TRAINING)
    rows = np.resize(extractor.predict_on_batch(patches), (count, network.inputs[0].shape[1]))
    rows = np.concatenate([rows, np.zeros((count, 1))], axis=1).astype(np.float16)
    labels = random_labels(count)

    def batch_labels(epoch: int, chosen: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        return {"camera": labels[chosen]}, {"camera": np.ones(len(chosen), np.float32)}

    batches = FeatureBatches(rows, batch_labels, recipe.patches.batch_size, seed=0)
    return lambda: network.fit(batches, shuffle=False, verbose=0)


def train_on_pixels(patches: np.ndarray) -> Callable[[], object]:
    """A function that trains `convnet` for an epoch on patches."""
    recipe = change(classifier_recipe("quick", PIXELS), size=patches.shape[1])
    network = build(PIXELS, recipe, HEADS)
    compile_classifier(network, recipe, HEADS, STEPS_OF_A_TRAINING)
    inputs = {"patch": patches, "is_manipulated": np.zeros((len(patches), 1), np.float32)}
    targets = {"camera": random_labels(len(patches))}
    return lambda: network.fit(inputs, targets, batch_size=recipe.patches.batch_size, shuffle=False, verbose=0)


def split_dctnet() -> tuple[keras.Model, keras.Model]:
    recipe = classifier_recipe("quick", ALONE)
    fixed = fixed_layer(ALONE, recipe)
    assert fixed is not None
    return split_network(build(ALONE, recipe, HEADS), fixed)


def random_labels(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, HEADS["camera"], count).astype(np.int32)


if __name__ == "__main__":
    main()
