"""What examining and preparing photographs cost: against other programs, on two cores against one, and in memory.

    python -m benchmarks.examining
    python -m benchmarks.examining --photos data/photos

1. `doctor` on one core, by processor time: against one `identify -format '%[EXIF:Model] %Q'` for each file
   and against `exiftool -csv -r` in one process (on a sample and on a tenth of the files, as they are slow). A
   program that is missing is said to be.
2. `doctor` and `prepare` on two cores against one, by the clock, with start-up and without (all files less a tenth of
   them); and two runs at once on one core each, which is what the machine itself allows.
3. The memory of `doctor` and `prepare` for many files against a tenth of them.

Prints ratios: the median of interleaved rounds, and the lowest and highest. The files are copies of those in
`--photos` (any folder; default: small ones by the virtual cameras), each with a few bytes more behind its end,
so that no two are the same; `prepare` gets copies of one virtual photograph of twelve megapixels. They need
about a gigabyte in the folder for temporary files.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from competition.utils.atomic_files import write_bytes
from competition.virtual.cameras import CAMERAS, find_camera
from competition.virtual.capture import take_photo

ROOT = Path(__file__).parents[1]
LARGE = 6.25  # the scale of about 4000x3000 pixels
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MAGICK_THREAD_LIMIT": "1"}


@dataclass(frozen=True)
class Cost:
    """What a command cost: seconds by the clock, seconds of processor time, and its peak of memory in MiB."""

    clock: float
    processor: float
    memory: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, metavar="DIR", help="photographs; default: by virtual cameras")
    parser.add_argument("--files", type=int, default=10_000, help="files for doctor")
    parser.add_argument("--sample", type=int, default=100, help="files for identify")
    parser.add_argument("--large", type=int, default=300, help="photographs of twelve megapixels for prepare")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as place:
        small, tenth, sample, large, part = (Path(place) / name for name in "abcde")
        photographs = read_all(options.photos) if options.photos else take(0.35)
        fill(small, photographs, options.files)
        fill(tenth, photographs, options.files // 10)
        fill(sample, photographs, options.sample)
        fill(large, take(LARGE, cameras=1), options.large)
        against_others(small, tenth, sample, options)
        fill(part, take(LARGE, cameras=1), options.large // 10)
        for run, many, few in ((doctor, small, tenth), (prepare, large, part)):
            on_two_cores(many, few, run, options.rounds)
        memory(small, tenth)


def read_all(folder: Path) -> dict[str, bytes]:
    """The files below a folder: name → content."""
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*.*")) if path.is_file()}


def take(scale: float, cameras: int = len(CAMERAS)) -> dict[str, bytes]:
    """A photograph by each of some virtual cameras: name → content."""
    names = list(CAMERAS)[:cameras]
    # In a process of its own: a child's peak of memory is never below what its parent held.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return dict(zip([f"{name}.jpg" for name in names], pool.map(partial(_photograph, scale), names), strict=True))


def _photograph(scale: float, camera: str) -> bytes:
    return take_photo(find_camera(camera), "1", seed=0, index=0, scale=scale).jpeg()


def fill(folder: Path, photographs: dict[str, bytes], count: int) -> None:
    """So many different files in the layout of a manifest."""
    for number in range(count):
        name, data = list(photographs.items())[number % len(photographs)]
        extra = number // len(photographs)
        write_bytes(data + b"\0" * extra, folder / "train" / name.partition(".")[0] / f"{extra:05}_{name}")


def cost(*words: object) -> Cost:
    """Run a command, which must end well."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in words],
        cwd=ROOT,
        env=os.environ | ONE_THREAD,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(map(str, words))} ended with status {status}")
    clock = time.perf_counter() - start
    return Cost(clock, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def doctor(folder: Path, jobs: int = 1) -> Cost:
    with tempfile.TemporaryDirectory() as out:
        return cost(sys.executable, "-m", "commands", "doctor", folder, "--out", f"{out}/doctor.csv", "--jobs", jobs)


def prepare(folder: Path, jobs: int = 1) -> Cost:
    with tempfile.TemporaryDirectory() as out:
        return cost(sys.executable, "-m", "commands", "prepare", folder, "--out", f"{out}/made", "--jobs", jobs)


def identify(folder: Path) -> Cost:
    loop = """find "$1" -type f | while read -r file; do identify -format '%[EXIF:Model] %Q\\n' "$file"; done; true"""
    return cost("bash", "-c", loop, "bash", folder)


def exiftool(folder: Path) -> Cost:
    return cost("exiftool", "-csv", "-r", folder)


def against_others(folder: Path, tenth: Path, sample: Path, options: argparse.Namespace) -> None:
    """Files per second of processor time."""
    rivals = {"identify": (identify, sample, options.sample), "exiftool": (exiftool, tenth, options.files // 10)}
    ours, theirs = [], {}
    for name in list(rivals):
        if shutil.which(name) is None:
            print(f"{name} is not installed: no comparison with it")
            del rivals[name]
    for _ in range(options.rounds):
        ours.append(options.files / doctor(folder).processor)
        for name, (run, where, count) in rivals.items():
            theirs.setdefault(name, []).append(count / run(where).processor)
    print(f"doctor {np.median(ours):.0f} files/s on one core")
    for name, rates in theirs.items():
        print(f"{name} {np.median(rates):.0f} files/s; doctor / {name} {spread(np.array(ours) / np.array(rates))}")


def on_two_cores(many: Path, few: Path, run: Callable[[Path, int], Cost], rounds: int) -> None:
    """By the clock: with start-up, without it, and two runs at once, which is what the machine itself allows."""
    ratios, without, ceilings, rates = [], [], [], []
    more = sum(1 for _ in many.rglob("*.*")) - sum(1 for _ in few.rglob("*.*"))
    for _ in range(rounds):
        one, two = run(many, 1).clock, run(many, 2).clock
        ratios.append(one / two)
        started = one - run(few, 1).clock
        rates.append(more / started)
        without.append(started / (two - run(few, 2).clock))
        with ThreadPoolExecutor(2) as both:
            ceilings.append(2 * one / max(cost.clock for cost in both.map(run, (many, many), (1, 1))))
    print(f"{run.__name__}: {np.median(rates):.0f} files/s on one core, start-up excluded")
    print(f"{run.__name__}: two cores / one {spread(np.array(ratios))}")
    print(f"{run.__name__}: the same without start-up {spread(np.array(without))}")
    print(f"{run.__name__}: two runs at once, one core each / one run {spread(np.array(ceilings))}")


def memory(many: Path, few: Path) -> None:
    """Peaks of the largest process."""
    for run in (doctor, prepare):
        peaks = [run(folder, 2).memory for folder in (few, many)]
        print(f"{run.__name__}: {peaks[0]:.0f} MiB for a tenth of the files, {peaks[1]:.0f} MiB for all")


def spread(ratios: np.ndarray) -> str:
    return f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"


if __name__ == "__main__":
    main()
