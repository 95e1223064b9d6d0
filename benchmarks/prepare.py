"""Rate of training patches from a prepared folder, against two other ways to make them from whole photos.

    python -m benchmarks.prepare
    python -m benchmarks.prepare --photos data/photos --count 20

Every method decodes a photo for each patch of 512 pixels, and manipulates half of the patches. The time is processor
time on one core.

- prepared: decode the center that `prepare` kept, then compute only the pixels of the patch;
- crop: decode with OpenCV, crop 1024 pixels, manipulate the crop, crop 512 (the competition's second place);
- whole: decode with Pillow, manipulate the whole photo, crop 512 (the competition's fifth place).

Prints ratios of the rates: the median of interleaved rounds, and the lowest and the highest. `--photos` is a folder
DIR/train/CAMERA/*.jpg; the first photos of every camera are used in turn. Without it, virtual cameras take some photos
of twelve megapixels, which takes a minute.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from itertools import chain, zip_longest
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from augment.decode import read_pixels
from augment.manipulations import GAMMAS, QUALITIES, SCALES
from augment.patches import PatchConfig, make_patch
from benchmarks.ratios import summary
from competition.manipulation import MANIPULATIONS, UNALTERED
from competition.prepare.run import prepare
from competition.utils.atomic_files import write_bytes
from competition.virtual.cameras import find_camera
from competition.virtual.capture import take_photo

PATCH = 512
CAMERAS = ("Virtual-Alder-A1", "Virtual-Birch-B1", "Virtual-Fir-F2", "Virtual-Hazel-H4")  # 4:2:0 and 4:2:2
SCALE = 6.25  # about 4000x3000 pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, metavar="DIR", help="photos; default: virtual photos of 12 megapixels")
    parser.add_argument("--count", type=int, default=len(CAMERAS), help="photos to use of --photos")
    parser.add_argument("--patches", type=int, default=16, help="patches per round and method")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(1)

    with tempfile.TemporaryDirectory() as folder:
        originals, prepared = Path(folder) / "photos", Path(folder) / "prepared"
        if options.photos:
            link_photos(options.photos, originals, options.count)
        else:
            make_photos(originals)
        table, _ = prepare(originals, prepared)
        sizes = sorted({f"{row.width}x{row.height}" for row in table.itertuples()})
        before, after = (sum((top / path).stat().st_size for path in table["path"]) for top in (originals, prepared))
        print(f"{len(table)} photos ({', '.join(sizes)}): prepared files are {before / after:.1f} times smaller")
        compare(list(table["path"]), originals, prepared, options.patches, options.rounds)


def link_photos(source: Path, folder: Path, count: int) -> None:
    """Link the first photos of every camera in turn, `count` in all, so that nothing is copied."""
    cameras = [sorted(camera.glob("*.jp*g")) for camera in sorted((source / "train").iterdir())]
    for path in [path for path in chain(*zip_longest(*cameras)) if path][:count]:
        link = folder / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())


def make_photos(folder: Path) -> None:
    """Take one photo of twelve megapixels with each of a few virtual cameras."""
    for name in CAMERAS:
        photo = take_photo(find_camera(name), "1", seed=0, index=0, scale=SCALE)
        write_bytes(photo.jpeg(), folder / "train" / name / "1.jpg")


def compare(paths: list[str], originals: Path, prepared: Path, patches: int, rounds: int) -> None:
    """Run the three methods alternately and print the ratios of their rates."""
    methods: dict[str, Callable[[str, int], np.ndarray]] = {
        "prepared": lambda path, index: from_prepared(prepared / path, index),
        "crop": lambda path, index: crop_first(originals / path, index),
        "whole": lambda path, index: manipulate_first(originals / path, index),
    }
    taken = np.array(
        [[seconds(method, paths, patches, part) for method in methods.values()] for part in range(rounds + 1)]
    )[1:]  # the first round warms up
    for name, times in zip(methods, taken.T, strict=True):
        print(f"{name:9}{patches / np.median(times):7.1f} patches/s")
    for name, times in zip(list(methods)[1:], taken.T[1:], strict=True):
        print(f"prepared / {name:6} {summary(times / taken[:, 0], digits=1)}")


def seconds(method: Callable[[str, int], np.ndarray], paths: list[str], patches: int, part: int) -> float:
    """Return the processor time of one method for one round of patches."""
    start = time.process_time()
    for index in range(part * patches, (part + 1) * patches):
        assert method(paths[index % len(paths)], index).shape == (PATCH, PATCH, 3)
    return time.process_time() - start


def from_prepared(path: Path, index: int) -> np.ndarray:
    """Make a patch as `TrainingPatches` does."""
    return make_patch(read_pixels(path), PatchConfig(size=PATCH, batch_size=1), 0, index)[0]


def crop_first(path: Path, index: int) -> np.ndarray:
    """Make a patch as the second place did: decode with OpenCV, crop 1024 pixels, manipulate, crop 512 pixels."""
    rng = np.random.default_rng(index)
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise RuntimeError(f"OpenCV cannot decode {path}")
    return random_crop(manipulated(random_crop(pixels, 1024, rng), rng), PATCH, rng)


def manipulate_first(path: Path, index: int) -> np.ndarray:
    """Make a patch as the fifth place did: decode with Pillow, manipulate the whole photo, crop 512 pixels."""
    rng = np.random.default_rng(index)
    return random_crop(manipulated(np.asarray(Image.open(path)), rng), PATCH, rng)


def manipulated(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Apply one of the eight manipulations half of the time, as those solutions did.

    They used cubic resizing, a lookup table, and Pillow's JPEG encoder.
    """
    name = str(rng.choice(MANIPULATIONS)) if rng.random() < 0.5 else UNALTERED
    if name in SCALES:
        factor = SCALES[name].outputs / SCALES[name].inputs
        return cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    if name in GAMMAS:
        return cv2.LUT(pixels, GAMMAS[name])
    if name in QUALITIES:
        with io.BytesIO() as stream:
            Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITIES[name])
            return np.asarray(Image.open(stream))
    return pixels


def random_crop(pixels: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Cut a square from a random position."""
    top, left = (int(rng.integers(side - size + 1)) for side in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + size, left : left + size])


if __name__ == "__main__":
    main()
