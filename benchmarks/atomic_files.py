"""Atomic writes: the time of a write while the number of files in the folder grows.

    python -m benchmarks.atomic_files
    python -m benchmarks.atomic_files --files 200000 --parts 10 --folder /mnt/shared

Writes files of 1 kB into one new folder and prints, for each part of them, the median time of a write, and the ratio
to the first part. With a constant time per write, the ratio stays at 1 however many files the folder has. The writes of
the parts follow each other, so that a part is also slower when another process is busy at that moment; therefore each
write is timed together with a plain write of the same bytes to another folder, and the second ratio is between these.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.ratios import seconds
from competition.utils.atomic_files import write_bytes

DATA = bytes(1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--parts", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="where to make the folder; default: that of temporary files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        atomic, plain = measure(Path(folder), options.files, options.parts)
    print(f"{options.files} atomic writes of {len(DATA)} bytes into one folder")
    for part, (time, other) in enumerate(zip(atomic, plain, strict=True)):
        print(
            f"files up to {(part + 1) * options.files // options.parts:>7}: {1e6 * time:6.1f} µs,"
            f" / first part {time / atomic[0]:.2f}, / plain write {time / other:.2f}"
        )


def measure(folder: Path, files: int, parts: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the median seconds of an atomic write to a growing folder, and of a plain write to one file, by part."""
    target, other = folder / "many", folder / "other"
    write_bytes(DATA, target / "warm-up")
    times = np.empty((2, files))
    for number in range(files):
        path = target / f"{number:07d}.bin"
        times[0, number] = seconds(lambda path=path: write_bytes(DATA, path))
        times[1, number] = seconds(lambda: other.write_bytes(DATA))
    whole = files - files % parts
    atomic, plain = np.median(times[:, :whole].reshape(2, parts, -1), axis=-1)
    return atomic, plain


if __name__ == "__main__":
    main()
