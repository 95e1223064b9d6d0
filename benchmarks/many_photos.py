"""Growth with the number of photos: processor time and peak memory of every step that handles all of them.

    python -m benchmarks.many_photos
    python -m benchmarks.many_photos --photos 10000 100000 --files 1000

A folder has `--photos` names, which are links to `--files` different small photos by ten cameras: nine tenths lie in
`train`, the others are a test set with a solution. Each step runs on it in a process of its own:

- manifest: read every header and write `manifest.csv`;
- doctor: examine every file by all rules that need no pixels, and write the report;
- start of a run: the manifest, the split, one decoding of every photo, and the files of the run;
- order of an epoch: the photo of each of four patches per photo, with and without balanced labels, in blocks;
- leaderboard: scores, ablation and calibration from cached predictions (random numbers) of two members;
- contrastive validation: the loss and the recall of random unit vectors of 256 numbers, one for each validation photo.

Prints the seconds of processor time and the peak memory of each step, and how they grow from the first number of photos
to the last one. Memory is that of the process, with its imports. The photos are so small that their decoding costs
little; the other steps do not depend on their size. Contrastive validation compares every pair, so its time grows with
the square.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from competition.utils.tables import text_table

CAMERAS = [f"camera-{number}" for number in range(10)]
MEMBERS = ("convnet", "dctnet")
SIDE = 64  # pixels
TEST = 10  # one of so many photos belongs to the test set
VIEWS, WIDTH = 8, 256

Work = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--files", type=int, default=1000, help="different photos")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        files = make_files(Path(name) / "files", options.files)
        costs: dict[str, list[tuple[float, float]]] = {step: [] for step in options.steps}
        for photos in options.photos:
            folder = Path(name) / str(photos)
            link_photos(folder / "photos", files, photos)
            for step in options.steps:
                costs[step].append(measure(step, folder))
                print(f"{photos} photos, {step}: {costs[step][-1][0]:.1f} s, {costs[step][-1][1]:.0f} MiB", flush=True)
    columns: dict[str, list[str]] = {"step": list(costs)}
    for photos, found in zip(options.photos, zip(*costs.values(), strict=True), strict=True):
        columns[f"{photos} photos"] = [f"{seconds:.1f} s, {memory:.0f} MiB" for seconds, memory in found]
    for index, name in enumerate(("time", "memory")):
        columns[f"{name} grows"] = [f"{found[-1][index] / found[0][index]:.2f}-fold" for found in costs.values()]
    print(text_table(columns))


def make_files(folder: Path, count: int) -> list[Path]:
    """Make small different photos with EXIF: photo `n` is by camera `n % 10`, and every minute has one photo."""
    folder.mkdir()
    rng, files = np.random.default_rng(0), []
    for number in range(count):
        exif = Image.Exif()
        exif.update({0x010F: "Maker", 0x0110: CAMERAS[number % len(CAMERAS)]})
        taken = pd.Timestamp("2026-01-01") + pd.Timedelta(minutes=number)
        exif.get_ifd(0x8769).update({0x9003: f"{taken:%Y:%m:%d %H:%M:%S}", 0x829A: 0.01, 0x829D: 2.8, 0x8827: 100})
        files.append(folder / f"{number}.jpg")
        pixels = rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        Image.fromarray(pixels).save(files[-1], quality=95, exif=exif)
    return files


def link_photos(folder: Path, files: list[Path], photos: int) -> None:
    """Fill a data folder with links to `files`, and write its solution."""
    for camera in CAMERAS:
        (folder / "train" / camera).mkdir(parents=True)
    (folder / "test").mkdir()
    rows = []
    for number in range(photos):
        camera, source = CAMERAS[number % len(CAMERAS)], files[number % len(files)]
        if number // len(CAMERAS) % TEST:
            os.link(source, folder / "train" / camera / f"{number:07}.jpg")
        else:
            kind = len(rows) % 2
            os.link(source, folder / "test" / f"img_{number:07}_{('unalt', 'manip')[kind]}.jpg")
            rows.append((f"img_{number:07}_{('unalt', 'manip')[kind]}.jpg", camera, ("unaltered", "gamma0.8")[kind]))
    solution = pd.DataFrame(rows, columns=["fname", "camera", "manipulation"])
    solution.to_csv(folder / "solution.csv", index=False)


def measure(step: str, folder: Path) -> tuple[float, float]:
    """Run a step in a new process; returns its seconds of processor time, without imports, and its peak memory, MiB."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure, step, folder).result()


def _measure(step: str, folder: Path) -> tuple[float, float]:
    work = STEPS[step](folder)
    start = time.process_time()
    work()
    seconds = time.process_time() - start
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def manifest(folder: Path) -> Work:
    from competition.manifest import read_folder, write_manifest

    return lambda: write_manifest(read_folder(folder / "photos")[0], folder / "manifest.csv")


def doctor(folder: Path) -> Work:
    from competition.doctor.run import examine
    from competition.utils.atomic_files import write_csv

    return lambda: write_csv(examine(folder / "photos"), folder / "doctor.csv")


def start(folder: Path) -> Work:
    from models.presets import classifier_recipe
    from submissions.environment import environment
    from submissions.run import Run, start_run

    environment()  # imports the framework
    recipes = {member: classifier_recipe("smoke", member) for member in MEMBERS}
    return lambda: start_run(Run(folder / "runs" / "job", folder / "photos", recipes, 0), 1)


def epoch_order(folder: Path) -> Work:
    from augment.patches import PatchConfig, epoch_order

    photos, config = int(folder.name), PatchConfig(512, 32, patches_per_photo=4)
    cells = np.arange(photos) % 50

    def work() -> None:
        epoch_order(photos, config, 0, 256)
        epoch_order(photos, config, 0, 256, cells)

    return work


def leaderboard(folder: Path) -> Work:
    from submissions.leaderboards.score import score_run
    from submissions.prediction_cache import Predictions, save
    from submissions.run import open_run

    run, rng = open_run(folder / "runs" / "job"), np.random.default_rng(0)
    for split, images in run.images.items():
        names = images["path"].to_numpy(np.str_)
        is_manipulated = (images["manipulation"] != "unaltered").to_numpy(bool)
        for member in MEMBERS:
            values = rng.dirichlet(np.ones(len(CAMERAS)), (VIEWS, len(images))).astype(np.float32)
            save(Predictions(names, is_manipulated, run.cameras, values), run.predictions_file(member, split))
    return lambda: score_run(run)


def contrastive_validation(folder: Path) -> Work:
    from models.exif_language.loss import recall, validation_loss

    photos, rng = int(folder.name) // 5, np.random.default_rng(0)
    image, text = rng.normal(size=(2, photos, WIDTH)).astype(np.float32)
    for vectors in (image, text):
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    def work() -> None:
        validation_loss(image, text, 14.0)
        recall(image, text, np.arange(photos))
        recall(text, image, np.arange(photos))

    return work


STEPS: dict[str, Callable[[Path], Work]] = {
    "manifest": manifest,
    "doctor": doctor,
    "start of a run": start,
    "order of an epoch": epoch_order,
    "leaderboard": leaderboard,
    "contrastive validation": contrastive_validation,
}


if __name__ == "__main__":
    main()
