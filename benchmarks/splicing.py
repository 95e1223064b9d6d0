"""What the closed form of the consistency map is worth: it, and mean shift on it, against the loop over pairs.

    python -m benchmarks.splicing
    python -m benchmarks.splicing --side 30 --width 768 --spread 7

The loop is the vote as the method was published: for every pair of patches, add 1 − cosine to all pairs of cells that
the two cover, count, and divide at the end. It runs whole (most of a minute), with NumPy's slices, on random unit
embeddings; the two maps are compared. Prints ratios of wall-clock time: the median of interleaved rounds, and the
lowest and highest. The loop, being Python, keeps one thread busy; the closed form as many as the linear algebra library
finds, or `--threads`. Measure on a quiet machine: neighbours cost the closed form more than the loop.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from submissions.splices.consistency import consistency_map
from submissions.splices.localization import mean_shift_map

REPEATS = 10  # of what takes milliseconds, in a round; their median counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=30, help="patches along each side of the grid")
    parser.add_argument("--width", type=int, default=768, help="numbers in an embedding")
    parser.add_argument("--spread", type=int, default=7, help="cells along a patch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="of linear algebra; default: what its library finds")
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((options.side, options.side, options.width), np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=-1, keepdims=True)
    with threadpool_limits(options.threads):
        rounds = [compare(embeddings, options.spread) for _ in range(options.rounds)]
    loop, closed, localized, differences = np.array(rounds).T
    print(f"{len(loop)} rounds; largest difference of the two maps: {differences.max():.1e}")
    for what, times in (("map", closed), ("map and mean shift", localized)):
        ratios = loop / times
        print(f"loop / {what:18} {np.median(ratios):6.0f} ({ratios.min():.0f} to {ratios.max():.0f})")


def compare(embeddings: np.ndarray, spread: int) -> tuple[float, float, float, float]:
    """Seconds of the loop, of the closed form, of it with mean shift; and the largest difference of the maps."""
    slow, loop = timed(lambda: vote(embeddings, spread))
    maps, closed = zip(*[timed(lambda: consistency_map(embeddings, spread)) for _ in range(REPEATS)], strict=True)
    localized = [timed(lambda: mean_shift_map(consistency_map(embeddings, spread)))[1] for _ in range(REPEATS)]
    return loop, float(np.median(closed)), float(np.median(localized)), float(np.abs(slow - maps[0]).max())


def vote(embeddings: np.ndarray, spread: int) -> np.ndarray:
    """The map by the loop over pairs: see `consistency_map`."""
    rows, columns, _ = embeddings.shape
    shape = (rows + spread - 1, columns + spread - 1) * 2
    votes, counts = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    places = list(np.ndindex(rows, columns))
    for r, c in places:
        for s, d in places:
            cells = np.s_[r : r + spread, c : c + spread, s : s + spread, d : d + spread]
            votes[cells] += 1 - embeddings[r, c] @ embeddings[s, d]
            counts[cells] += 1
    return votes / counts


def timed(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """What a call returns, and the seconds that it takes."""
    start = time.perf_counter()
    made = work()
    return made, time.perf_counter() - start


if __name__ == "__main__":
    main()
