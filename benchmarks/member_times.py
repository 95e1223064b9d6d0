"""Times of every member on one core: the table `TIMES` of `submissions/progress/work.py`.

    python -m benchmarks.member_times
    python -m benchmarks.member_times --members resnet50 --steps 5

Each member is trained and predicts with its recipe of the preset `quick` on random pixels, in a process of its own with
one thread, as `train` does it on a CPU. Of the front end `dct`, which is trained on features, `predict` is the time of
the features and `train` that of an epoch on them. Printed are processor times, which other processes change less than
they change the time on the clock: `start`, until the first step and the first prediction are finished without their own
time; then the median of the steps, in seconds per megapixel of patches.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from models.front_ends import FRONT_ENDS
from models.members import FRONT_END_MEMBERS, MEMBERS
from models.presets import classifier_recipe
from models.recipe import Recipe
from submissions.train_run import ENVIRONMENT

HEADS = {"camera": 10}
STEPS_OF_A_TRAINING = 1000  # of the schedule of the learning rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", nargs="+", choices=MEMBERS, default=list(MEMBERS))
    parser.add_argument("--steps", type=int, default=3, help="steps after the first (default: 3)")
    options = parser.parse_args()

    os.environ.update(ENVIRONMENT)
    print("| member | start, s | training, s per megapixel | prediction, s per megapixel |\n|---|---|---|---|")
    for member in options.members:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            start, train, predict = pool.submit(measure, member, options.steps).result()
        print(f"| {member} | {start:.0f} | {train:.3g} | {predict:.3g} |", flush=True)


def measure(member: str, steps: int) -> tuple[float, float, float]:
    """Train and predict a member in this process; return `start`, `train` and `predict`."""
    from models.classifier import build, freeze_front_end
    from models.training.features import split_network
    from models.training.fit import compile_classifier

    recipe = classifier_recipe("quick", member)
    model = build(member, recipe, HEADS)
    fixed = FRONT_ENDS[recipe.front_end].fixed if member in FRONT_END_MEMBERS else None
    if fixed is not None:
        extractor, trained = split_network(model, fixed)
        features = extractor.output.shape[1:]
    else:
        trained = model
        if recipe.front_end_recipe is not None:
            freeze_front_end(model)
    compile_classifier(trained, recipe, HEADS, STEPS_OF_A_TRAINING)
    rng, batch = np.random.default_rng(0), recipe.patches.batch_size
    flags = np.zeros((batch, 1), np.float32)
    targets = {"camera": rng.integers(0, 10, batch).astype(np.int32)}
    patches = _patches(rng, recipe, recipe.patches.size, batch)
    if fixed is None:
        train = _median(lambda: model.train_on_batch(patches, targets), steps)
        tested = _patches(rng, recipe, recipe.test_patch, 4 * recipe.views)
        predict = _median(lambda: model.predict_on_batch(tested), steps)
        pixels = tested["patch"][..., 0].size
    else:
        values = rng.random((batch, *features), np.float32)
        train = _median(lambda: trained.train_on_batch([values, flags], targets), steps)
        predict = _median(lambda: extractor.predict_on_batch(patches["patch"][:16]), steps)
        pixels = patches["patch"][:16, ..., 0].size
    start = time.process_time() - (steps + 1) * (train + predict)
    return start, train * 1e6 / patches["patch"][..., 0].size, predict * 1e6 / pixels


def _patches(rng: np.random.Generator, recipe: Recipe, side: int, count: int) -> dict[str, np.ndarray]:
    patches = rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    return {"patch": patches, "is_manipulated": np.zeros((count, 1), np.float32)}


def _median(work: Callable[[], object], steps: int) -> float:
    """The median processor time of the calls after the first."""
    times = []
    for _ in range(steps + 1):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return statistics.median(times[1:])


if __name__ == "__main__":
    main()
