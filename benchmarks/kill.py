"""Crashes: commands are killed at random moments, and the same command then has to end with the same result.

    python -m benchmarks.kill
    python -m benchmarks.kill --kills 1000 --commands train predict

Every command first runs undisturbed, twice, which gives its time and its result. Then, `--kills` times in all, it
starts with a fresh copy of its input, its process gets SIGKILL at a moment drawn uniformly from its time, and the same
command runs again to its end. A kill is survived if the second process exits with 0, its result equals that of the
undisturbed one bit for bit, and no temporary or lock file is left. The backend computes on one thread, so that its sums
have one order. The photos are noise. Files are compared without what depends on the clock: the column `seconds` of a
history, the date and the addresses in a model, `log.txt`, and the environment, which the report shows too.

Prints the number of kills and of survived ones by command. The exit code is 1 if one was not survived.
"""

import argparse
import hashlib
import http.server
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from PIL import Image

ROOT = Path(__file__).parents[1]
CAMERAS = ("cat", "dog")
ONE_THREAD = {
    **dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1"),
    "TF_DETERMINISTIC_OPS": "1",
}
TRAIN = ["train", "ensemble", "--members", "dctnet,convnet", "--preset", "smoke", "--data", "photos", "--run", "job"]
NOT_COMPARED = {"environment.json", "log.txt", "report.html"}  # the report shows the environment
SHARED_OBJECT = re.compile(rb'"shared_object_id": \d+')  # an address in memory


@dataclass(frozen=True)
class Command:
    """A command, and the file or folder that it makes."""

    words: list[str]
    output: str


COMMANDS = {
    "train": Command([*TRAIN, "--jobs", "2"], "runs/job"),
    "folds": Command([*TRAIN, "--jobs", "2", "--folds", "2"], "runs/job"),
    "predict": Command(["predict", "runs/job"], "runs/job"),
    "prepare": Command(["prepare", "large", "--out", "out", "--size", "64", "--jobs", "2"], "out"),
    "doctor": Command(["doctor", "large", "--out", "doctor.csv", "--pixels", "--jobs", "2"], "doctor.csv"),
    "collect": Command(["collect", "--list", "urls.csv", "--out", "out", "--rate", "1000"], "out"),
    "virtual": Command(["virtual", "--size", "smoke", "--out", "out", "--jobs", "2"], "out"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    lost = 0
    with tempfile.TemporaryDirectory() as name, photo_server() as url:
        folder = Path(name)
        for command in options.commands:
            kills = options.kills // len(options.commands)
            lost += kill_repeatedly(command, make_input(folder / command, command, url), kills, rng)
    return int(lost > 0)


def kill_repeatedly(name: str, base: Path, kills: int, rng: np.random.Generator) -> int:
    """Kill a command and repeat it, `kills` times; print a line, and return the number of kills not survived."""
    command = COMMANDS[name]
    references = []
    for number in range(2):
        work = shutil.copytree(base, base.parent / f"{name}-reference{number}")
        start = time.monotonic()
        subprocess.run(line(command), cwd=work, env=environment(), check=True, capture_output=True)
        seconds = time.monotonic() - start  # of the second one: files are in the cache of the system
        references.append(digests(work, command.output))
    if references[0] != references[1]:
        print(f"{name}: two undisturbed runs differ in {differences(*references)}", flush=True)
        return kills
    survived, during = 0, 0
    for number in range(kills):
        work = shutil.copytree(base, base.parent / f"{name}-{number}")
        moment = rng.uniform(0, seconds)
        with subprocess.Popen(
            line(command), cwd=work, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                process.wait(moment)
            except subprocess.TimeoutExpired:
                process.kill()
                during += 1
        again = subprocess.run(line(command), cwd=work, env=environment(), check=False, capture_output=True, text=True)
        found = digests(work, command.output)
        if again.returncode == 0 and found == references[0]:
            survived += 1
            shutil.rmtree(work)
        else:
            what = again.stderr.strip().splitlines()[-1:] or differences(references[0], found)
            print(f"{name}, killed after {moment:.2f} s: exit code {again.returncode}, {what}", flush=True)
    print(f"{name}: {kills} tried, {during} killed before their end, {survived} survived ({seconds:.1f} s)", flush=True)
    return kills - survived


def line(command: Command) -> list[str]:
    """The command line of a process."""
    return [sys.executable, "-m", "commands", *command.words]


def environment() -> dict[str, str]:
    """The environment variables of a process: one thread, and the packages of this repository."""
    return {**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT)}


def digests(work: Path, output: str) -> dict[str, str]:
    """Return a digest of the content of every output file, by its path."""
    found = [work / output] if (work / output).is_file() else sorted((work / output).rglob("*"))
    files = [path for path in found if path.is_file() and path.name not in NOT_COMPARED]
    return {path.relative_to(work).as_posix(): hashlib.sha256(content(path, work)).hexdigest() for path in files}


def content(path: Path, work: Path) -> bytes:
    """Return the content of a file without what depends on the clock and on the working directory."""
    if path.name == "history.csv":
        return pd.read_csv(path).drop(columns="seconds").to_csv().encode()
    if path.name == "collected.csv":  # in the order in which downloads end
        return "".join(sorted(path.read_text().splitlines(keepends=True))).encode()
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            config = SHARED_OBJECT.sub(b"", archive.read("config.json"))
            return config + weights(archive.read("model.weights.h5"))
    return path.read_bytes().replace(bytes(work), b"")


def weights(data: bytes) -> bytes:
    """Return the names and the values of all weights in a file of Keras."""
    parts: list[bytes] = []
    with h5py.File(io.BytesIO(data)) as file:
        file.visititems(
            lambda name, item: parts.extend((name.encode(), item[()].tobytes())) if is_array(item) else None
        )
    return b"".join(parts)


def is_array(item: object) -> bool:
    return isinstance(item, h5py.Dataset)


def differences(one: dict[str, str], other: dict[str, str]) -> str:
    """Name the files that differ."""
    return ", ".join(sorted(path for path in {*one, *other} if one.get(path) != other.get(path)))


def make_input(folder: Path, command: str, url: str) -> Path:
    """Make the files that a command needs."""
    folder.mkdir()
    if command in ("train", "folds"):
        make_photos(folder / "photos", photos=7 if command == "train" else 14, side=96)
    elif command == "predict":
        make_photos(folder / "photos", photos=7, side=96)
        subprocess.run(line(COMMANDS["train"]), cwd=folder, env=environment(), check=True, capture_output=True)
        shutil.rmtree(folder / "runs" / "job" / "predictions")
    elif command in ("prepare", "doctor"):
        make_photos(folder / "large", photos=100, side=300)
    elif command == "collect":
        rows = [f"{url}/{number}.jpg,{CAMERAS[number % 2]},CC0" for number in range(200)]
        (folder / "urls.csv").write_text("\n".join(["url,camera,licence", *rows]) + "\n")
    return folder


def make_photos(folder: Path, photos: int, side: int) -> None:
    """Make a folder of noise in the layout of the competition, with a test set."""
    rng = np.random.default_rng(0)
    for index, camera in enumerate(CAMERAS):
        for number in range(photos):
            path = folder / "train" / camera / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise(rng, side).save(path, quality=80 + 7 * index)
    (folder / "test").mkdir()
    for number in range(4):
        noise(rng, 64).save(folder / "test" / f"img_{number}_{('unalt', 'manip')[number % 2]}.tif")


def noise(rng: np.random.Generator, side: int) -> Image.Image:
    return Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8))


@contextmanager
def photo_server() -> Iterator[str]:
    """Serve one JPEG photo at any path of a local address within the block, and yield the address."""
    buffer = io.BytesIO()
    noise(np.random.default_rng(1), 64).save(buffer, "JPEG")
    photo = buffer.getvalue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(photo)))
            self.end_headers()
            self.wfile.write(photo)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
