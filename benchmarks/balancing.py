"""Speed of exact balancing against the assignment problem with one column per place, and when balancing helps.

    python -m benchmarks.balancing
    python -m benchmarks.balancing --images 20000 1000000
    python -m benchmarks.balancing --run runs/ensemble-quick-virtual-small

1. Largest difference of the sums of log-probabilities between `exact` and `scipy.optimize.linear_sum_assignment` on
   random small cases, many of them with ties.
2. Ratio of the times of both at 2,000 images and ten classes: the median of interleaved rounds, and the lowest and the
   highest.
3. Seconds of each method on one core for `--images`, and the peak memory of the process. `greedy` is left out above
   100,000 images.
4. With `--run`: the accuracy of every method on test sets that are drawn from the run's predictions, with equal,
   mildly and strongly unequal shares of the cameras. The data need a solution.csv.

The probabilities are those of a classifier that prefers some classes; quotas are equal, or drawn (Dirichlet 1).
"""

import argparse
import resource
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from threadpoolctl import threadpool_limits

from benchmarks.ratios import summary
from competition.utils.errors import InputError
from competition.utils.tables import markdown_table
from submissions.balancing import METHODS, assign
from submissions.blending import SMALLEST
from submissions.experiments.class_balance import class_balance, describe_class_balance
from submissions.leaderboards.evaluation import evaluate_test
from submissions.run import open_run
from submissions.submit import training_shares

CLASSES = 10
COMPARED = 2000  # images of the comparison: the assignment problem takes minutes for 20,000
GREEDY_LIMIT = 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[20_000], help="default: 20000")
    parser.add_argument("--cases", type=int, default=1000, help="random small cases; default: 1000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--run", type=Path, help="also print when balancing helps, from the predictions of this run")
    options = parser.parse_args()

    with threadpool_limits(1):
        print(f"largest difference of {options.cases} optima: {largest_difference(options.cases):.1e}")
        for name in ("equal", "drawn"):
            ratios = [compare(name, seed) for seed in range(options.rounds)]
            print(f"assignment problem / exact, {COMPARED} images, {name} quotas: {summary(ratios, 0)}")
        for images in options.images:
            for name in ("equal", "drawn"):
                print(f"{images} images, {name} quotas: {', '.join(times(images, name))}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    if options.run:
        run = open_run(options.run)
        evaluation = evaluate_test(run)
        if evaluation is None:
            raise InputError(f"{options.run} has no predictions for a test set with a solution.csv")
        print(markdown_table(describe_class_balance(class_balance(evaluation, training_shares(run)))))


def largest_difference(cases: int) -> float:
    """Compare the optima of random small cases; every other case has probabilities with one decimal, and so ties."""
    rng, differences = np.random.default_rng(0), []
    for case in range(cases):
        images, classes = int(rng.integers(1, 61)), int(rng.integers(1, CLASSES + 1))
        values = rng.dirichlet(np.full(classes, 0.5), images)
        values = np.maximum(values.round(1) if case % 2 else values, SMALLEST)
        quotas = draw_quotas("drawn", images, classes, rng)
        labels = assign(values, quotas, "exact")
        if (np.bincount(labels, minlength=classes) != quotas).any():
            raise AssertionError(f"case {case} does not keep its quotas")
        differences.append(abs(total(values, labels) - total(values, by_assignment(values, quotas))))
    return max(differences)


def compare(name: str, seed: int) -> float:
    """Time of the assignment problem over that of `exact`."""
    rng = np.random.default_rng(seed)
    values, quotas = predictions(COMPARED, rng), draw_quotas(name, COMPARED, CLASSES, rng)
    start = time.perf_counter()
    by_assignment(values, quotas)
    middle = time.perf_counter()
    assign(values, quotas, "exact")
    return (middle - start) / (time.perf_counter() - middle)


def times(images: int, name: str) -> list[str]:
    """Processor time of every method."""
    rng, found = np.random.default_rng(0), []
    values, quotas = predictions(images, rng), draw_quotas(name, images, CLASSES, rng)
    for method in METHODS[1:]:
        if method == "greedy" and images > GREEDY_LIMIT:
            continue
        start = time.process_time()
        assign(values, quotas, method)
        found.append(f"{method} {time.process_time() - start:.2f} s")
    return found


def predictions(images: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Probabilities (images, classes) of a classifier that prefers some classes."""
    values = 2 * rng.normal(size=CLASSES) + rng.normal(size=(images, CLASSES))
    values[np.arange(images), rng.integers(0, CLASSES, images)] += 3
    np.exp(values, out=values)
    values /= values.sum(axis=1, keepdims=True)
    return values


def draw_quotas(name: str, images: int, classes: int, rng: np.random.Generator) -> NDArray[np.int64]:
    shares = np.full(classes, 1 / classes) if name == "equal" else rng.dirichlet(np.ones(classes))
    if name == "equal" and images % classes == 0:
        return np.full(classes, images // classes)
    return np.bincount(rng.choice(classes, size=images, p=shares), minlength=classes)


def by_assignment(values: NDArray[np.float64], quotas: NDArray[np.int64]) -> NDArray[np.int64]:
    """The labels with the maximum sum of log-probabilities by one column per place (Crouse 2016)."""
    label_of_place = np.repeat(np.arange(len(quotas)), quotas)
    _, place_of_image = linear_sum_assignment(np.log(values)[:, label_of_place], maximize=True)
    return label_of_place[place_of_image]


def total(values: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    return float(np.log(values[np.arange(len(labels)), labels]).sum())


if __name__ == "__main__":
    main()
