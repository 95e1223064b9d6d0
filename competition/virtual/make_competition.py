"""Making the folder of the virtual competition, in Kaggle's layout."""

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from competition.manipulation import MANIPULATIONS
from competition.prepare.center_crop import center_span
from competition.utils.atomic_files import read_json, write_bytes, write_csv, write_json
from competition.utils.errors import InputError, unknown_name
from competition.utils.parallel import parallel_map
from competition.virtual.cameras import CAMERAS, find_camera
from competition.virtual.capture import take_photo
from competition.virtual.files import decode_jpeg
from competition.virtual.threads import one_thread
from competition.virtual.window import Window

VERSION = 2  # of the generator: raise it when the same seed makes other pixels
PUBLIC_SHARE = 0.3
TEST_BODY = 2
_TASKS_AT_ONCE = 4  # photographs handed to a process: about a second of work at the default size

_JPEG_UNIT = 16  # pixels: the largest unit of a JPEG, beyond which a pixel does not influence its neighbors

CutTestPatch = Callable[[np.ndarray, str, int], np.ndarray]
SourceSize = Callable[[int, str], int]


@dataclass(frozen=True)
class VirtualSize:
    """How much to make: training photographs and test patches of each camera, the patch's side in pixels, the scale of
    photographs (1 is about 640×480), and by how many bodies of each camera the training photographs were taken."""

    photos: int
    patches: int
    patch: int
    scale: float
    devices: int = 1


SIZES: dict[str, VirtualSize] = {
    "smoke": VirtualSize(photos=6, patches=4, patch=64, scale=0.35),  # tests: seconds
    "small": VirtualSize(photos=70, patches=40, patch=128, scale=1.0),  # the default
    "competition": VirtualSize(photos=25, patches=40, patch=512, scale=2.4),  # patches of the real size
    # Several bodies, so that some validate; more photographs, as settings vary from one to the next and cameras do not;
    # no test set, as its patches come without the EXIF that would score them.
    "settings": VirtualSize(photos=240, patches=0, patch=0, scale=1.0, devices=4),
    "settings-smoke": VirtualSize(photos=9, patches=0, patch=0, scale=0.35, devices=3),
    "full": VirtualSize(photos=275, patches=264, patch=512, scale=2.7),  # the size of the real competition
}


@dataclass(frozen=True)
class _Task:
    """One photograph to take, and what is kept of it: the JPEG (`manipulation` is None) or a test patch."""

    camera: str
    device: str
    index: int
    path: str
    manipulation: str | None


def find_size(name: str) -> VirtualSize:
    """The size called `name`; an unknown name is an `InputError`."""
    if name not in SIZES:
        raise unknown_name("size", name, SIZES)
    return SIZES[name]


def device(camera: str, number: int) -> str:
    """Serial number of a camera's body `number`: the test photographs are by body 2, training ones by all others."""
    return f"{camera.rpartition('-')[2]}-{number:04d}"


def training_device(camera: str, index: int, devices: int) -> str:
    """Serial number of the body that took a camera's training photograph `index`: bodies 1, 3, 4, … by turns."""
    return device(camera, (1, *range(3, devices + 2))[index % devices])


def make_competition(
    folder: Path | str,
    size: VirtualSize,
    seed: int,
    cut_test_patch: CutTestPatch,
    source_size: SourceSize,
    jobs: int = -1,
) -> None:
    """Make `folder`: `train/<camera>/*.jpg`, `test/*.tif`, `sample_submission.csv`, `solution.csv`, `virtual.json`.

    A folder that was left incomplete is completed.

    Args:
        folder: Where to write.
        size: How much to make.
        seed: Seed of the data set.
        cut_test_patch: `cut_test_patch(photo, manipulation, side)` returns the test patch, uint8 (side, side, 3), of a
            photo, uint8 (h, w, 3). `manipulation` is `unaltered` or one of `MANIPULATIONS`.
        source_size: `source_size(side, manipulation)` returns the shortest side of a photo that such a patch can be cut
            from. Only so much of the photo's center is simulated for a test patch.
        jobs: Number of processes (-1: one for each core). The result does not depend on it.

    Raises:
        InputError: The folder contains other files, or data of another size, seed or version.
    """
    folder = Path(folder)
    solution = plan_test(size, seed)
    tasks = _training_tasks(size) + _test_tasks(solution)
    record = {
        "size": asdict(size),
        "seed": seed,
        "generator_version": VERSION,
        "cameras": len(CAMERAS),
        "training_photographs": size.photos * len(CAMERAS),
        "test_patches": len(solution),
    }
    _claim(folder, record)
    missing = [task for task in tasks if not (folder / task.path).exists()]
    carry_out = partial(
        _carry_out, folder=folder, size=size, seed=seed, cut_test_patch=cut_test_patch, source_size=source_size
    )
    for _ in parallel_map(carry_out, missing, jobs, "virtual photographs", _TASKS_AT_ONCE):
        pass
    if len(solution):
        write_csv(solution[["fname", "camera", "manipulation", "usage"]], folder / "solution.csv")
        write_csv(solution[["fname"]].assign(camera=next(iter(CAMERAS))), folder / "sample_submission.csv")
    write_json(record | {"complete": True}, folder / "virtual.json")


def _claim(folder: Path, record: dict[str, Any]) -> None:
    """Write down what `folder` is going to hold, or check that it is the same."""
    note = folder / "virtual.json"
    if note.exists():
        found = read_json(note)
        if {key: found.get(key) for key in record} != record:
            raise InputError(
                f"{folder} holds a virtual competition of another size, seed or version; "
                "choose another folder or delete it"
            )
    elif folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} holds other files and no virtual.json; choose an empty or new folder")
    else:
        write_json(record | {"complete": False}, note)


def plan_test(size: VirtualSize, seed: int) -> pd.DataFrame:
    """The hidden solution, one row a test patch in order of file name: `fname, camera, manipulation, usage, index`.

    Of each camera's patches half are unaltered and half manipulated, evenly over the eight; 30 % of each such half
    count for the public score. File names tell nothing: their numbers are random.
    """
    rng = np.random.default_rng([seed, 1])
    rows: list[tuple[str, str, int]] = []
    altered = 0
    for camera in CAMERAS:
        for index in range(size.patches):
            manipulation = "unaltered"
            if index >= size.patches - size.patches // 2:
                manipulation = MANIPULATIONS[altered % len(MANIPULATIONS)]
                altered += 1
            rows.append((camera, manipulation, index))
    table = pd.DataFrame(rows, columns=["camera", "manipulation", "index"])
    table["is_manipulated"] = table["manipulation"] != "unaltered"
    table = table.sample(frac=1, random_state=rng).sort_values(["is_manipulated", "camera"], kind="stable")
    steps = np.floor(np.arange(len(table) + 1) * PUBLIC_SHARE + 1e-9)
    table["usage"] = np.where(np.diff(steps) > 0, "Public", "Private")
    numbers = rng.choice(16**7, size=len(table), replace=False)
    suffix = np.where(table["is_manipulated"], "manip", "unalt")
    table["fname"] = [f"img_{number:07x}_{end}.tif" for number, end in zip(numbers, suffix, strict=True)]
    return table.sort_values("fname").reset_index(drop=True)


def _training_tasks(size: VirtualSize) -> list[_Task]:
    return [
        _Task(name, training_device(name, index, size.devices), index, f"train/{name}/{name}_{index:04d}.jpg", None)
        for index in range(size.photos)
        for name in CAMERAS
    ]


def _test_tasks(solution: pd.DataFrame) -> list[_Task]:
    return [
        _Task(row.camera, device(row.camera, TEST_BODY), row.index_, f"test/{row.fname}", row.manipulation)
        for row in solution.rename(columns={"index": "index_"}).itertuples()
    ]


def _carry_out(
    task: _Task, folder: Path, size: VirtualSize, seed: int, cut_test_patch: CutTestPatch, source_size: SourceSize
) -> None:
    """Take one photo and keep what the task asks for. Runs in a worker process."""
    camera = find_camera(task.camera)
    with one_thread():
        if task.manipulation is None:
            data = take_photo(camera, task.device, seed, task.index, size.scale).jpeg()
        else:
            center = _center(camera.native_size(size.scale), source_size(size.patch, task.manipulation))
            photo = decode_jpeg(take_photo(camera, task.device, seed, task.index, size.scale, center).jpeg())
            buffer = io.BytesIO()
            Image.fromarray(cut_test_patch(photo, task.manipulation, size.patch)).save(buffer, "TIFF")
            data = buffer.getvalue()
    write_bytes(data, folder / task.path)


def _center(sides: tuple[int, int], size: int) -> Window:
    """The center of a photo of `sides` (height, width) that has at least `size` pixels along each side, and a margin in
    which JPEG compression feels the border. It keeps the phase of all grids."""
    (top, height), (left, width) = (center_span(side, size + 2 * _JPEG_UNIT, _JPEG_UNIT) for side in sides)
    return Window(top, left, height, width)
