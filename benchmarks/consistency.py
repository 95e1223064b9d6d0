"""Speed of the closed form of the consistency map, alone and with mean shift, against the loop over pairs of patches.

    python -m benchmarks.consistency
    python -m benchmarks.consistency --side 30 --width 768 --patch-cells 7

The loop is the vote of the published method: for every pair of patches, add 1 − cosine similarity to all pairs of cells
that the two patches cover, count the votes, and divide at the end. It runs to its end (most of a minute), with NumPy
slices, on random unit embeddings, and the two maps are compared.

Prints ratios of wall-clock time: the median of interleaved rounds, and the lowest and the highest. The loop is Python
and uses one thread; the closed form uses `--threads` threads, by default all that the linear algebra library finds. Run
it on an idle machine, because other processes slow the closed form down more than the loop.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.ratios import summary
from submissions.splices.consistency import consistency_map
from submissions.splices.localization import mean_shift_map

REPEATS = 10  # per round, of what takes milliseconds; their median counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=30, help="patches along each side of the grid")
    parser.add_argument("--width", type=int, default=768, help="dimensions of an embedding")
    parser.add_argument("--patch-cells", type=int, default=7, help="cells along a patch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="threads of linear algebra; default: chosen by its library")
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((options.side, options.side, options.width), np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=-1, keepdims=True)
    with threadpool_limits(options.threads):
        rounds = [compare(embeddings, options.patch_cells) for _ in range(options.rounds)]
    loop, closed, localized, differences = np.array(rounds).T
    print(f"{len(loop)} rounds; largest difference of the two maps: {differences.max():.1e}")
    for name, times in (("map", closed), ("map and mean shift", localized)):
        print(f"loop / {name:18} {summary(loop / times, digits=0)}")


def compare(embeddings: np.ndarray, patch_cells: int) -> tuple[float, float, float, float]:
    """Return the seconds of the loop, of the closed form and of both steps, and the largest difference of the maps."""
    slow, loop = timed(lambda: vote(embeddings, patch_cells))
    fast, _ = timed(lambda: consistency_map(embeddings, patch_cells))
    closed = [timed(lambda: consistency_map(embeddings, patch_cells))[1] for _ in range(REPEATS)]
    localized = [timed(lambda: mean_shift_map(consistency_map(embeddings, patch_cells)))[1] for _ in range(REPEATS)]
    return loop, float(np.median(closed)), float(np.median(localized)), float(np.abs(slow - fast).max())


def vote(embeddings: np.ndarray, patch_cells: int) -> np.ndarray:
    """Compute the consistency map by the loop over pairs; see `consistency_map` for arguments and result."""
    rows, columns, _ = embeddings.shape
    shape = (rows + patch_cells - 1, columns + patch_cells - 1) * 2
    votes, counts = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    positions = list(np.ndindex(rows, columns))
    for r, c in positions:
        for s, d in positions:
            cells = np.s_[r : r + patch_cells, c : c + patch_cells, s : s + patch_cells, d : d + patch_cells]
            votes[cells] += 1 - embeddings[r, c] @ embeddings[s, d]
            counts[cells] += 1
    return votes / counts


def timed(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """Call `work`; return its result and the seconds that it took."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


if __name__ == "__main__":
    main()
