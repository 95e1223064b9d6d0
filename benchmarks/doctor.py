"""Cost of the commands `doctor` and `prepare`: against other programs, on two cores against one, and in memory.

    python -m benchmarks.doctor
    python -m benchmarks.doctor --photos data/photos

1. `doctor` on one core, in processor time: against one `identify -format '%[EXIF:Model] %Q'` per file, and against
   `exiftool -csv -r` in one process (on a sample and on a tenth of the files, because they are slow). A program that is
   not installed is reported and left out.
2. `doctor` and `prepare` on two cores against one, in wall-clock time, with start-up and without it (all files minus a
   tenth of them); and two runs at the same time on one core each, which is the limit of the machine.
3. Memory of `doctor` and `prepare` for all files against a tenth of them.

Prints ratios: the median of interleaved rounds, and the lowest and the highest. The files are copies of those in
`--photos` (any folder; default: small photos taken by virtual cameras), each with some bytes appended, so that no two
files are equal. `prepare` gets copies of one virtual photo of twelve megapixels. The files need about a gigabyte in the
folder for temporary files.
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

from benchmarks.ratios import summary
from competition.utils.atomic_files import write_bytes
from competition.virtual.cameras import CAMERAS, find_camera
from competition.virtual.capture import take_photo

ROOT = Path(__file__).parents[1]
SMALL, LARGE = 0.35, 6.25  # scales of virtual photos; LARGE is about 4000x3000 pixels
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MAGICK_THREAD_LIMIT": "1"}


@dataclass(frozen=True)
class Cost:
    """The wall-clock time and the processor time of a command, both in seconds, and its peak memory in MiB."""

    wall_clock: float
    processor: float
    memory: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, metavar="DIR", help="photos; default: taken by virtual cameras")
    parser.add_argument("--files", type=int, default=10_000, help="files for doctor")
    parser.add_argument("--sample", type=int, default=100, help="files for identify")
    parser.add_argument("--large", type=int, default=300, help="photos of twelve megapixels for prepare")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        small, small_tenth, sample, large, large_tenth = (Path(folder) / name for name in "abcde")
        photos = read_all(options.photos) if options.photos else take_photos(SMALL)
        fill(small, photos, options.files)
        fill(small_tenth, photos, options.files // 10)
        fill(sample, photos, options.sample)
        large_photos = take_photos(LARGE, cameras=1)
        fill(large, large_photos, options.large)
        fill(large_tenth, large_photos, options.large // 10)
        compare_programs(small, small_tenth, sample, options)
        compare_cores(small, small_tenth, doctor, options.rounds)
        compare_cores(large, large_tenth, prepare, options.rounds)
        for run, many, few in ((doctor, small, small_tenth), (prepare, large, large_tenth)):
            print_memory(many, few, run)


def read_all(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files below a folder by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*.*")) if path.is_file()}


def take_photos(scale: float, cameras: int = len(CAMERAS)) -> dict[str, bytes]:
    """Take one photo with each of the first `cameras` virtual cameras; return JPEG files by name."""
    names = list(CAMERAS)[:cameras]
    # In a separate process, because the peak memory of a child process includes what its parent held at the fork.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return dict(zip([f"{name}.jpg" for name in names], pool.map(partial(_photo, scale), names), strict=True))


def _photo(scale: float, camera: str) -> bytes:
    return take_photo(find_camera(camera), "1", seed=0, index=0, scale=scale).jpeg()


def fill(folder: Path, photos: dict[str, bytes], count: int) -> None:
    """Write `count` different files in the layout of training data."""
    for number in range(count):
        name, data = list(photos.items())[number % len(photos)]
        extra = number // len(photos)
        write_bytes(data + b"\0" * extra, folder / "train" / name.partition(".")[0] / f"{extra:05}_{name}")


def cost(*words: object) -> Cost:
    """Run a command and measure it.

    Raises:
        RuntimeError: the command failed.
    """
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
    return Cost(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


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


def compare_programs(small: Path, small_tenth: Path, sample: Path, options: argparse.Namespace) -> None:
    """Print the files per second of processor time of `doctor` and of the other programs, and the ratios."""
    programs = {
        "identify": (identify, sample, options.sample),
        "exiftool": (exiftool, small_tenth, options.files // 10),
    }
    for name in list(programs):
        if shutil.which(name) is None:
            print(f"{name} is not installed and is left out")
            del programs[name]
    doctor_rates: list[float] = []
    program_rates: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(options.rounds):
        doctor_rates.append(options.files / doctor(small).processor)
        for name, (run, folder, count) in programs.items():
            program_rates[name].append(count / run(folder).processor)
    print(f"doctor {np.median(doctor_rates):.0f} files/s on one core")
    for name, rates in program_rates.items():
        ratios = np.array(doctor_rates) / np.array(rates)
        print(f"{name} {np.median(rates):.0f} files/s; doctor / {name} {summary(ratios)}")


def compare_cores(many: Path, few: Path, run: Callable[[Path, int], Cost], rounds: int) -> None:
    """Print ratios of wall-clock time: with start-up, without it, and for two runs at the same time."""
    ratios, without_startup, limits, rates = [], [], [], []
    difference = sum(1 for _ in many.rglob("*.*")) - sum(1 for _ in few.rglob("*.*"))
    for _ in range(rounds):
        one, two = run(many, 1).wall_clock, run(many, 2).wall_clock
        ratios.append(one / two)
        one_without_startup = one - run(few, 1).wall_clock
        rates.append(difference / one_without_startup)
        without_startup.append(one_without_startup / (two - run(few, 2).wall_clock))
        with ThreadPoolExecutor(2) as both:
            limits.append(2 * one / max(cost.wall_clock for cost in both.map(run, (many, many), (1, 1))))
    name = run.__name__
    print(f"{name}: {np.median(rates):.0f} files/s on one core, start-up excluded")
    print(f"{name}: two cores / one {summary(ratios)}")
    print(f"{name}: the same without start-up {summary(without_startup)}")
    print(f"{name}: two runs at the same time, one core each / one run {summary(limits)}")


def print_memory(many: Path, few: Path, run: Callable[[Path, int], Cost]) -> None:
    """Print the peak memory of the largest process for a tenth of the files and for all of them."""
    tenth, full = (run(folder, 2).memory for folder in (few, many))
    print(f"{run.__name__}: {tenth:.0f} MiB for a tenth of the files, {full:.0f} MiB for all")


if __name__ == "__main__":
    main()
