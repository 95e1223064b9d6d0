"""Make the folder of the virtual competition, in Kaggle's layout."""

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from competition.manipulation import MANIPULATIONS, UNALTERED
from competition.prepare.center_crop import center_span
from competition.settings import SETTINGS
from competition.utils.atomic_files import write_bytes, write_csv
from competition.utils.errors import unknown_name
from competition.utils.free_space import check_disk
from competition.utils.parallel import parallel_map
from competition.utils.threads import one_thread
from competition.virtual.cameras import CAMERAS, find_camera
from competition.virtual.capture import set_up, take_photo
from competition.virtual.degradations import COLUMNS as DEGRADATIONS
from competition.virtual.degradations import SIMULATION, degradations
from competition.virtual.files import decode_jpeg, encode_jpeg
from competition.virtual.output_folder import claim_folder, is_complete
from competition.virtual.window import Window

VERSION = 2  # of the generator: raise it when the same seed makes other pixels
RECORD = "virtual.json"
PUBLIC_SHARE = 0.3
TEST_DEVICE = 2  # number of the device that takes the photos of the test set
SETTINGS_COLUMNS = tuple(setting.column for setting in SETTINGS.values())
_CHUNK = 4  # photos per task of a process
_BYTES_PER_PIXEL = 0.3  # of a JPEG photo: the mean of the size small
_JPEG_UNIT = 16  # pixels: side of JPEG's largest coded unit; pixels further away do not influence a decoded pixel

CutTestPatch = Callable[[np.ndarray, str, int], np.ndarray]
SourceSize = Callable[[int, str], int]


@dataclass(frozen=True)
class VirtualSize:
    """How much to make."""

    photos: int  # training photos of each camera
    patches: int  # test images of each camera
    patch: int  # side of a test patch in pixels; 0: test images are whole photos without EXIF
    scale: float  # of photos: 1 is about 640×480 pixels
    devices: int = 1  # devices of each camera that take the training photos

    @property
    def whole_photos(self) -> bool:
        """Whether test images are whole photos, whose settings are to be predicted, instead of patches."""
        return bool(self.patches and not self.patch)


SIZES: dict[str, VirtualSize] = {
    "smoke": VirtualSize(photos=6, patches=4, patch=64, scale=0.35),  # tests: seconds
    # The default: test patches of the real size, from photos that are large enough for every manipulation.
    "small": VirtualSize(photos=48, patches=28, patch=512, scale=2.4),
    # Several devices, so that some can be used for validation. More photos, because settings vary from photo to photo.
    "settings": VirtualSize(photos=240, patches=60, patch=0, scale=1.0, devices=4),
    "settings-large": VirtualSize(photos=480, patches=60, patch=0, scale=1.0, devices=4),
    "settings-smoke": VirtualSize(photos=9, patches=3, patch=0, scale=0.35, devices=3),
    "full": VirtualSize(photos=275, patches=264, patch=512, scale=2.7),  # the size of the real competition
}


@dataclass(frozen=True)
class _Task:
    """One photo to take. If `manipulation` is None it is a training photo, else a test image."""

    camera: str
    device: str
    index: int
    path: str
    manipulation: str | None


def find_size(name: str) -> VirtualSize:
    """Return the size called `name`. Raises `InputError` if it is unknown."""
    if name not in SIZES:
        raise unknown_name("size", name, SIZES)
    return SIZES[name]


def device_name(camera: str, number: int) -> str:
    """Return the serial number of device `number` of a camera."""
    return f"{camera.rpartition('-')[2]}-{number:04d}"


def training_device_name(camera: str, index: int, devices: int) -> str:
    """Return the serial number of the device that takes training photo `index`: devices 1, 3, 4, … in rotation."""
    return device_name(camera, (1, *range(3, devices + 2))[index % devices])


def make_competition(
    folder: Path | str,
    size: VirtualSize,
    seed: int,
    cut_test_patch: CutTestPatch,
    source_size: SourceSize,
    jobs: int = -1,
) -> None:
    """Make `folder`: `train/<camera>/*.jpg`, `test/*.tif`, `sample_submission.csv`, `solution.csv`, `quotas.csv` (how
    many test patches each camera has, which competitors may know) and `virtual.json`.

    If test images are whole photos, they are JPEG files without EXIF, and `solution.csv` also has their settings.
    `simulation.csv` then holds the degradations of all photos, see `competition.virtual.degradations`.

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
        InputError: The disk has too little space, or see `claim_folder`.
    """
    folder = Path(folder)
    solution = plan_test(size, seed)
    tasks = _training_tasks(size) + _test_tasks(solution)
    record = {
        "size": asdict(size),
        "seed": seed,
        "generator_version": VERSION,
        "cameras": len(CAMERAS),
        "training_photos": size.photos * len(CAMERAS),
        "test_patches": len(solution),
    }
    missing = [task for task in tasks if not (folder / task.path).exists()]
    if not missing and is_complete(folder, RECORD, record):
        return  # several trainings may read the folder at the same time
    run_task = partial(
        _run_task, folder=folder, size=size, seed=seed, cut_test_patch=cut_test_patch, source_size=source_size
    )
    check_disk(folder, sum(_bytes(task, size) for task in missing), f"simulating {len(missing)} photos")
    with claim_folder(folder, RECORD, record):
        for _ in parallel_map(run_task, missing, jobs, "virtual photos", _CHUNK):
            pass
        columns = ["fname", "camera", "manipulation", "usage"]
        if size.whole_photos:
            describe = partial(_describe, size=size, seed=seed)
            known = pd.DataFrame(parallel_map(describe, tasks, jobs, "descriptions", _CHUNK))
            write_csv(known[["path", *DEGRADATIONS]], folder / SIMULATION)
            solution = solution.join(known.set_index("path")[[*SETTINGS_COLUMNS]], on="test/" + solution["fname"])
            columns += SETTINGS_COLUMNS
        if len(solution):
            write_csv(solution[columns], folder / "solution.csv")
            write_csv(solution[["fname"]].assign(camera=next(iter(CAMERAS))), folder / "sample_submission.csv")
            write_csv(_count_patches(solution), folder / "quotas.csv")


def plan_test(size: VirtualSize, seed: int) -> pd.DataFrame:
    """Return the solution: one row per test image, sorted by file name.

    Whole photos are unaltered. Half of each camera's patches are unaltered, the others are manipulated, with equal
    shares of the eight manipulations. 30 % of each half count for the public score. The numbers in file names are
    random.

    Returns:
        Columns `fname`, `camera`, `manipulation`, `usage` and `index` (of the photo).
    """
    rng = np.random.default_rng([seed, 1])
    rows: list[tuple[str, str, int]] = []
    altered = 0
    for camera in CAMERAS:
        for index in range(size.patches):
            manipulation = UNALTERED
            if size.patch and index >= size.patches - size.patches // 2:
                manipulation = MANIPULATIONS[altered % len(MANIPULATIONS)]
                altered += 1
            rows.append((camera, manipulation, index))
    table = pd.DataFrame(rows, columns=["camera", "manipulation", "index"])
    table["is_manipulated"] = table["manipulation"] != UNALTERED
    table = table.sample(frac=1, random_state=rng).sort_values(["is_manipulated", "camera"], kind="stable")
    steps = np.floor(np.arange(len(table) + 1) * PUBLIC_SHARE + 1e-9)
    table["usage"] = np.where(np.diff(steps) > 0, "Public", "Private")
    numbers = rng.choice(16**7, size=len(table), replace=False)
    ending = ".jpg" if size.whole_photos else ".tif"
    suffix = np.where(table["is_manipulated"], f"manip{ending}", f"unalt{ending}")
    table["fname"] = [f"img_{number:07x}_{end}" for number, end in zip(numbers, suffix, strict=True)]
    return table.sort_values("fname").reset_index(drop=True)


def _count_patches(solution: pd.DataFrame) -> pd.DataFrame:
    """Numbers of test patches: columns camera, unaltered, manipulated."""
    unaltered = (solution["manipulation"] == UNALTERED).rename("unaltered")
    counts = pd.DataFrame({"camera": solution["camera"], "unaltered": unaltered, "manipulated": ~unaltered})
    return counts.groupby("camera", sort=True).sum().reset_index()


def _training_tasks(size: VirtualSize) -> list[_Task]:
    return [
        _Task(
            name, training_device_name(name, index, size.devices), index, f"train/{name}/{name}_{index:04d}.jpg", None
        )
        for index in range(size.photos)
        for name in CAMERAS
    ]


def _test_tasks(solution: pd.DataFrame) -> list[_Task]:
    return [
        _Task(row.camera, device_name(row.camera, TEST_DEVICE), row.index_, f"test/{row.fname}", row.manipulation)
        for row in solution.rename(columns={"index": "index_"}).itertuples()
    ]


def _bytes(task: _Task, size: VirtualSize) -> float:
    """About how many bytes the file of a photo or of a test patch, which is not compressed, has."""
    if task.manipulation is not None and not size.whole_photos:
        return 3 * size.patch**2
    height, width = find_camera(task.camera).native_size(size.scale)
    return _BYTES_PER_PIXEL * height * width


def _run_task(
    task: _Task, folder: Path, size: VirtualSize, seed: int, cut_test_patch: CutTestPatch, source_size: SourceSize
) -> None:
    """Take one photo and write its JPEG or a test image. Runs in a worker process."""
    camera = find_camera(task.camera)
    with one_thread():
        if task.manipulation is None:
            data = take_photo(camera, task.device, seed, task.index, size.scale).jpeg()
        elif size.whole_photos:
            photo = take_photo(camera, task.device, seed, task.index, size.scale)
            data = encode_jpeg(photo.pixels, camera)
        else:
            center = _center(camera.native_size(size.scale), source_size(size.patch, task.manipulation))
            whole = decode_jpeg(take_photo(camera, task.device, seed, task.index, size.scale, center).jpeg())
            buffer = io.BytesIO()
            Image.fromarray(cut_test_patch(whole, task.manipulation, size.patch)).save(buffer, "TIFF")
            data = buffer.getvalue()
    write_bytes(data, folder / task.path)


def _describe(task: _Task, size: VirtualSize, seed: int) -> dict[str, str | float]:
    """Path, settings and degradations of a photo. Runs in a worker process."""
    camera = find_camera(task.camera)
    setup = set_up(camera, task.device, seed, task.index, size.scale)
    values = setup.settings.f_number, setup.settings.iso, float(setup.settings.exposure_time)
    return {"path": task.path, **dict(zip(SETTINGS_COLUMNS, values, strict=True)), **degradations(camera, setup)}


def _center(sides: tuple[int, int], size: int) -> Window:
    """The center of a photo of `sides` (height, width): at least `size` pixels along each side, and a margin for the
    borders of its JPEG. It keeps the phase of the JPEG grid and of resizing, like the center crops of `prepare`."""
    (top, height), (left, width) = (center_span(side, size + 2 * _JPEG_UNIT, _JPEG_UNIT) for side in sides)
    return Window(top, left, height, width)
