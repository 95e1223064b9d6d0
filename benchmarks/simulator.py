"""Speed of the camera simulator, in megapixels per second of processor time of one core, and the share of each stage.

    python -m benchmarks.simulator
    python -m benchmarks.simulator --photos 5 --scale 1

Every camera takes some photos and some centers of 512 pixels (as test patches need), each with its JPEG. Prints the
median over cameras, and the lowest and highest. A center counts as the whole photo, so its figure shows what simulating
only a window is worth.
"""

import argparse
import cProfile
import pstats
import time
from pathlib import Path

import numpy as np

from competition.prepare.center_crop import center_span
from competition.utils.threads import one_thread
from competition.virtual.cameras import CAMERAS, Camera
from competition.virtual.capture import take_photo
from competition.virtual.window import Window

# Functions whose cumulative times are printed, by module.
STAGES = {
    "scenes": ("make_scene", "render"),
    "optics": ("apply",),
    "sensor": ("make_device", "mosaic", "expose"),
    "window": ("white_noise",),
    "isp": ("_luma_and_chroma", "develop"),
    "files": ("encode_jpeg",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=2, help="photos by each camera")
    parser.add_argument("--scale", type=float, default=2.4, help="1 means about 640x480 pixels")
    parser.add_argument("--patch", type=int, default=512, help="side of a center in pixels")
    options = parser.parse_args()

    with one_thread():
        take_photo(CAMERAS["Virtual-Elm-E5"], "warm-up", seed=0, index=0, scale=0.2)
        rates = [rate(camera, options.photos, options.scale, None) for camera in CAMERAS.values()]
        print(f"whole photos:      {summary(rates)}")
        rates = [rate(camera, options.photos, options.scale, options.patch) for camera in CAMERAS.values()]
        print(f"centers of {options.patch:4} px: {summary(rates)}")
        for name, share in stages(options.scale).items():
            print(f"  {name:24} {share:5.0%}")


def rate(camera: Camera, photos: int, scale: float, patch: int | None) -> float:
    """Megapixels of photos per second of processor time."""
    height, width = camera.native_size(scale)
    window = None
    if patch is not None:
        (top, rows), (left, columns) = (center_span(side, patch + 32, 16) for side in (height, width))
        window = Window(top, left, rows, columns)
    start = time.process_time()
    for index in range(photos):
        take_photo(camera, "1", 0, index, scale, window).jpeg()
    return photos * height * width / 1e6 / (time.process_time() - start)


def stages(scale: float) -> dict[str, float]:
    """Share of each stage in the time of one whole photo by each camera. Stages may contain others."""
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for camera in CAMERAS.values():
        take_photo(camera, "1", 0, 0, scale).jpeg()
    profile.disable()
    entries = pstats.Stats(profile).get_stats_profile().func_profiles
    total = entries["take_photo"].cumtime + entries["jpeg"].cumtime
    found = {(Path(entry.file_name).stem, name): entry.cumtime for name, entry in entries.items()}
    return {
        f"{module}.{name}": found[module, name] / total
        for module, names in STAGES.items()
        for name in names
        if (module, name) in found
    }


def summary(rates: list[float]) -> str:
    """Median, lowest and highest of megapixels per second."""
    return f"{np.median(rates):5.1f} ({min(rates):.1f} to {max(rates):.1f}) megapixels per second of one core"


if __name__ == "__main__":
    main()
