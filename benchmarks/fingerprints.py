"""Fingerprints of devices on simulated photos: how well matches are told from other pairs, and the speed.

    python -m benchmarks.fingerprints
    python -m benchmarks.fingerprints --devices 3 --photos 5 --scale 0.7

One device of each virtual camera takes the photos of a fingerprint and as many others, and a second device of the same
camera takes as many again. Every other photo is matched with the fingerprint of its own device; the photos of the
second device with that of the first; and every photo with the fingerprints of the other cameras. Whole photos and
centers of 512 pixels, which are searched as crops, are matched. Nothing was chosen on these photos.

Prints the area under the ROC curve with its 95 % bootstrap interval over photos, the share of pairs that the
false-alarm rate of `submissions.fingerprints.evidence` accepts, and megapixels per second of processor time.
"""

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path

import pandas as pd

from augment.crops import center_offset
from augment.decode import read_pixels
from competition.metrics.auroc import resampled_auroc
from competition.utils.parallel import parallel_map
from competition.virtual.cameras import CAMERAS
from competition.virtual.capture import take_photo
from submissions.fingerprints.device import Fingerprint, build_fingerprint
from submissions.fingerprints.evidence import FALSE_ALARMS, weigh
from submissions.fingerprints.match import correlate
from submissions.fingerprints.noise import noise_residual

CROP = 512  # pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=len(CAMERAS), help="number of cameras")
    parser.add_argument("--photos", type=int, default=20, help="photos of each fingerprint, and matched with it")
    parser.add_argument("--scale", type=float, default=1.6, help="of the photos: 1 means about 640x480 pixels")
    parser.add_argument("--jobs", type=int, default=-1, help="processes; -1: one per core")
    options = parser.parse_args()
    names = list(CAMERAS)[: options.devices]

    with tempfile.TemporaryDirectory() as folder:
        shots = [(name, device, index) for name in names for device in (1, 2) for index in range(2 * options.photos)]
        shots = [(name, device, index) for name, device, index in shots if device == 1 or index < options.photos]
        take = partial(_take, folder=Path(folder), scale=options.scale)
        paths = dict(zip(shots, parallel_map(take, shots, options.jobs, "photos"), strict=True))
        build = partial(_build, paths=paths, photos=options.photos)
        fingerprints = dict(zip(names, parallel_map(build, names, options.jobs, "fingerprints"), strict=True))
        tests = [shot for shot in shots if shot[1] == 2 or shot[2] >= options.photos]
        match = partial(_match, paths=paths, fingerprints=fingerprints)
        table = pd.concat(parallel_map(match, tests, options.jobs, "photos to match"))

    for size, pairs in table.groupby("size", sort=False):
        matching = pairs["kind"] == "same device"
        area = resampled_auroc(pairs["score"], matching, pairs["photo"])
        print(f"{size}: AUROC {area.value:.4f} [{area.interval[0]:.4f}, {area.interval[1]:.4f}]")
        for kind, rows in pairs.groupby("kind", sort=False):
            low, middle, high = rows["score"].quantile([0, 0.5, 1])
            print(
                f"  {kind}: {len(rows)} pairs, score {middle:.1f} ({low:.1f} to {high:.1f}), "
                f"{rows['match'].mean():.3f} accepted at a false-alarm rate of {FALSE_ALARMS:g}"
            )
    speed = table.drop_duplicates("photo")["speed"]
    low, middle, high = speed.quantile([0, 0.5, 1])
    print(f"residual of a photo: {middle:.1f} megapixels per second and core ({low:.1f} to {high:.1f})")
    speed = table.loc[table["size"] == "whole photos", "match_speed"]
    print(f"match with one fingerprint: {speed.median():.1f} megapixels per second and core")


def _take(shot: tuple[str, int, int], folder: Path, scale: float) -> Path:
    name, device, index = shot
    path = folder / f"{name}_{device}_{index}.jpg"
    path.write_bytes(take_photo(CAMERAS[name], f"{name}-fingerprint-{device}", 7, index, scale).jpeg())
    return path


def _build(name: str, paths: dict[tuple[str, int, int], Path], photos: int) -> Fingerprint:
    return build_fingerprint(name, [paths[name, 1, index] for index in range(photos)])[0]


def _match(
    shot: tuple[str, int, int], paths: dict[tuple[str, int, int], Path], fingerprints: dict[str, Fingerprint]
) -> pd.DataFrame:
    name, device, _ = shot
    pixels = read_pixels(paths[shot])
    top, left = (center_offset(side, CROP) for side in pixels.shape[:2])
    center = pixels[top : top + CROP, left : left + CROP]
    rows = []
    for size, part in (("whole photos", pixels), (f"centers of {CROP} pixels", center)):
        start = time.process_time()
        residual, luminance = noise_residual(part)
        speed = residual.size / 1e6 / (time.process_time() - start)
        for other, fingerprint in fingerprints.items():
            if device == 2 and other != name:
                continue
            height, width = (min(sides) for sides in zip(part.shape[:2], fingerprint.pattern.shape, strict=True))
            start = time.process_time()
            found = correlate(fingerprint.pattern, residual[:height, :width], luminance[:height, :width])
            seconds = time.process_time() - start
            rows.append(
                {
                    "photo": str(shot),
                    "size": size,
                    "kind": _kind(name, device, other),
                    "score": found.score,
                    "match": weigh(found, fingerprint.own_scores).is_match,
                    "speed": speed,
                    "match_speed": fingerprint.pattern.size / 1e6 / seconds,
                }
            )
    return pd.DataFrame(rows)


def _kind(camera: str, device: int, other: str) -> str:
    if camera != other:
        return "other camera"
    return "same device" if device == 1 else "same camera, other device"


if __name__ == "__main__":
    main()
