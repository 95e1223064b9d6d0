"""What a prepared folder is worth: training patches per second from it, against two ways from whole photographs.

    python -m benchmarks.preparing
    python -m benchmarks.preparing --photos data/photos --count 20

The ways, each decoding a photograph for each patch of 512 pixels, half of them manipulated, by the time of one core:

- prepared: decode the center that `prepare` kept, then cut the patch and compute only its pixels;
- crop: decode with OpenCV, crop 1024 pixels, manipulate these, crop 512 (the competition's second place);
- whole: decode with Pillow, manipulate the whole photograph, crop 512 (its fifth place).

Prints ratios of the rates: the median of interleaved rounds, and the lowest and highest. Without `--photos`
(DIR/train/CAMERA/*.jpg, of which the first few of every camera are taken in turn) virtual cameras make some of
twelve megapixels, which takes a minute.
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
from augment.manipulations import GAMMAS, MANIPULATED, QUALITIES, SCALES, UNALTERED
from augment.patches import PatchConfig, make_patch
from competition.prepare.run import prepare
from competition.utils.atomic_files import write_bytes
from competition.virtual.cameras import find_camera
from competition.virtual.capture import take_photo

PATCH = 512
CAMERAS = ("Virtual-Alder-A1", "Virtual-Birch-B1", "Virtual-Fir-F2", "Virtual-Hazel-H4")  # 4:2:0 and 4:2:2
SCALE = 6.25  # about 4000x3000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--photos", type=Path, metavar="DIR", help="photographs; default: virtual ones of 12 megapixels"
    )
    parser.add_argument("--count", type=int, default=len(CAMERAS), help="photographs to use")
    parser.add_argument("--patches", type=int, default=16, help="patches in a round, each way")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(1)

    with tempfile.TemporaryDirectory() as place:
        chosen, prepared = Path(place) / "photos", Path(place) / "prepared"
        if options.photos:
            choose(options.photos, chosen, options.count)
        else:
            make_photos(chosen)
        table, _ = prepare(chosen, prepared)
        sizes = sorted({f"{row.width}x{row.height}" for row in table.itertuples()})
        before, after = (sum((top / path).stat().st_size for path in table["path"]) for top in (chosen, prepared))
        print(f"{len(table)} photographs ({', '.join(sizes)}): {before / after:.1f} times fewer bytes when prepared")
        compare(list(table["path"]), chosen, prepared, options.patches, options.rounds)


def choose(source: Path, folder: Path, count: int) -> None:
    """Link to the first photographs of every camera in turn, so that nothing is copied."""
    cameras = [sorted(camera.glob("*.jp*g")) for camera in sorted((source / "train").iterdir())]
    for path in [path for path in chain(*zip_longest(*cameras)) if path][:count]:
        link = folder / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())


def make_photos(folder: Path) -> None:
    """One photograph of twelve megapixels by each of a few virtual cameras."""
    for name in CAMERAS:
        photograph = take_photo(find_camera(name), "1", seed=0, index=0, scale=SCALE)
        write_bytes(photograph.jpeg(), folder / "train" / name / "1.jpg")


def compare(paths: list[str], originals: Path, prepared: Path, patches: int, rounds: int) -> None:
    """Run the three ways by turns and print the ratios."""
    ways: dict[str, Callable[[str, int], np.ndarray]] = {
        "prepared": lambda path, index: from_prepared(prepared / path, index),
        "crop": lambda path, index: crop_first(originals / path, index),
        "whole": lambda path, index: whole_first(originals / path, index),
    }
    taken = np.array([[seconds(ways[way], paths, patches, part) for way in ways] for part in range(rounds + 1)])[1:]
    for way, times in zip(ways, taken.T, strict=True):
        print(f"{way:9}{patches / np.median(times):7.1f} patches/s")
    for way, times in zip(list(ways)[1:], taken.T[1:], strict=True):
        ratios = times / taken[:, 0]
        print(f"prepared / {way:6} {np.median(ratios):5.1f} ({ratios.min():.1f} to {ratios.max():.1f})")


def seconds(way: Callable[[str, int], np.ndarray], paths: list[str], patches: int, part: int) -> float:
    """Processor time that one way takes for one round of patches."""
    start = time.process_time()
    for index in range(part * patches, (part + 1) * patches):
        assert way(paths[index % len(paths)], index).shape == (PATCH, PATCH, 3)
    return time.process_time() - start


def from_prepared(path: Path, index: int) -> np.ndarray:
    """The house's way, as `TrainingPatches` does it."""
    return make_patch(read_pixels(path), PatchConfig(size=PATCH, batch_size=1), 0, index)[0]


def crop_first(path: Path, index: int) -> np.ndarray:
    """Second place: OpenCV, 1024 pixels, manipulate, 512 pixels."""
    rng = np.random.default_rng(index)
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    return random_crop(manipulated(random_crop(pixels, 1024, rng), rng), PATCH, rng)


def whole_first(path: Path, index: int) -> np.ndarray:
    """Fifth place: Pillow, manipulate all of it, 512 pixels."""
    rng = np.random.default_rng(index)
    return random_crop(manipulated(np.asarray(Image.open(path)), rng), PATCH, rng)


def manipulated(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half of the time one of the eight, computed as those solutions did: cubic resizing, a table, Pillow's JPEG."""
    name = str(rng.choice(MANIPULATED)) if rng.random() < 0.5 else UNALTERED
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
    """A square from anywhere."""
    top, left = (int(rng.integers(side - size + 1)) for side in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + size, left : left + size])


if __name__ == "__main__":
    main()
