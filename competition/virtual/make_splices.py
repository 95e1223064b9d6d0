"""Make virtual splices: a region of one virtual camera's photo in a photo by another, and as many authentic images.

    splices.json, splices.csv       record of the data set, and one row per image
    photos/<device>_<index>.jpg     as written by the cameras, with EXIF
    images/<number>.png or .jpg     the images to examine, without EXIF; spliced and authentic ones in random order
    masks/<number>.png              white where an image is spliced

Devices and scenes differ from those of the virtual competition, so that models trained on it can be tested here.
"""

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image
from scipy.optimize import linear_sum_assignment

from competition.metadata.header import read_header
from competition.utils.atomic_files import write_bytes, write_csv
from competition.utils.errors import unknown_name
from competition.utils.parallel import parallel_map
from competition.utils.threads import one_thread
from competition.virtual.cameras import CAMERAS, find_camera
from competition.virtual.capture import take_photo
from competition.virtual.files import decode_jpeg
from competition.virtual.make_competition import device_name
from competition.virtual.output_folder import claim_folder
from competition.virtual.regions import draw_region

VERSION = 2  # of the generator: raise it when the same seed makes other pixels
HOST_DEVICE, DONOR_DEVICE = 9001, 9002  # the devices of the virtual competition are numbered from 1
QUALITIES = 70, 95  # lowest and highest JPEG quality of recompressed images
SOFTNESS = 1.0, 4.0  # lowest and highest standard deviation in pixels of the blur of soft edges
MARGIN = 16  # pixels between a splice and the border: four standard deviations of the softest edge
_FORBIDDEN = 1e6  # cost in stops of two photos by one camera model
_CHUNK = 4  # photos or images per task of a process


@dataclass(frozen=True)
class SplicesSize:
    """How much to make."""

    forged: int  # spliced images; there are as many authentic ones
    scale: float  # of photos: 1 is about 640×480 pixels


SIZES: dict[str, SplicesSize] = {
    "smoke": SplicesSize(forged=4, scale=0.5),  # tests: seconds
    "small": SplicesSize(forged=40, scale=1.1),  # the default
    "full": SplicesSize(forged=200, scale=1.1),  # an interval half as wide
    "large": SplicesSize(forged=400, scale=1.1),  # the figures of docs/results.md
}


@dataclass(frozen=True)
class SourcePhoto:
    """A photo by a virtual camera, as host or donor."""

    camera: str
    device: str
    index: int

    @property
    def path(self) -> str:
        """Path of the file, relative to the folder of the splices."""
        return f"photos/{self.device}_{self.index:04d}.jpg"


@dataclass(frozen=True)
class PlannedImage:
    """An image to make.

    `donor`, `settings`, `stops` and `edge` are None for authentic images, `quality` for lossless ones. `settings` is
    "similar" if the donor was chosen for its similar settings, else "any". `stops` is the sum of the differences in
    aperture, ISO and exposure time between host and donor.
    """

    number: int
    host: SourcePhoto
    donor: SourcePhoto | None
    settings: str | None
    stops: float | None
    edge: str | None
    quality: int | None

    @property
    def path(self) -> str:
        """Path of the file, relative to the folder of the splices."""
        return f"images/{self.number:04d}.{'png' if self.quality is None else 'jpg'}"


def find_size(name: str) -> SplicesSize:
    """Return the size called `name`. Raises `InputError` if it is unknown."""
    if name not in SIZES:
        raise unknown_name("size of the virtual splices", name, SIZES)
    return SIZES[name]


def make_splices(folder: Path | str, size: SplicesSize, seed: int, jobs: int = -1) -> pd.DataFrame:
    """Make `folder`. A folder that was left incomplete is completed.

    Args:
        folder: Where to write.
        size: How much to make.
        seed: Seed of the data set.
        jobs: Number of processes (-1: one for each core). The result does not depend on it.

    Returns:
        The table that is also written to splices.csv, one row per image: `name` (of the file), `host_camera`,
        `host_device`, `donor_camera`, `donor_device` (null for authentic images), `settings`, `stops` (see
        `PlannedImage`), `share` (of the area that is spliced), `edge` (hard or soft), `quality` (of recompression; null
        for lossless images).

    Raises:
        InputError: See `claim_folder`.
    """
    folder = Path(folder)
    record = {"what": "virtual splices: simulated photos", "version": VERSION, "seed": seed, **asdict(size)}
    hosts = _source_photos(2 * size.forged, HOST_DEVICE)
    donors = _source_photos(size.forged, DONOR_DEVICE, first=len(CAMERAS) // 2)
    photos = hosts + donors
    with claim_folder(folder, "splices.json", record):
        missing = [photo for photo in photos if not (folder / photo.path).exists()]
        for _ in parallel_map(partial(_take_photo, folder, seed, size.scale), missing, jobs, "photos", _CHUNK):
            pass
        images = plan_images(hosts, donors, [_settings_in_stops(folder, photo) for photo in photos], seed)
        shares = list(parallel_map(partial(_make_image, folder, seed), images, jobs, "images", _CHUNK))
        table = pd.DataFrame(
            {
                "name": Path(image.path).name,
                "host_camera": image.host.camera,
                "host_device": image.host.device,
                "donor_camera": image.donor.camera if image.donor else None,
                "donor_device": image.donor.device if image.donor else None,
                "settings": image.settings,
                "stops": image.stops,
                "share": share,
                "edge": image.edge,
                "quality": image.quality,
            }
            for image, share in zip(images, shares, strict=True)
        ).astype({"quality": "Int64"})
        write_csv(table, folder / "splices.csv")
    return table


def plan_images(
    hosts: Sequence[SourcePhoto],
    donors: Sequence[SourcePhoto],
    settings: Sequence[tuple[float, float, float]],
    seed: int,
) -> list[PlannedImage]:
    """Plan n spliced and n authentic images from 2n `hosts` and n `donors`.

    No image combines two photos by one camera model. Half of the splices have the donors whose settings are most
    similar to those of the host. Hard and soft edges and recompression are balanced within both halves. Authentic
    images are recompressed as often as spliced ones, with the same qualities.

    Args:
        hosts: Photos to splice into; the last n become authentic images.
        donors: Photos that provide the regions.
        settings: Aperture, ISO and exposure time in stops, of hosts and then donors.
        seed: Seed of the plan.

    Returns:
        The images, sorted by number. Numbers are random.
    """
    rng = np.random.default_rng([seed, 1])
    count = len(donors)
    stops = np.abs(np.array(settings[:count])[:, None] - np.array(settings[len(hosts) :])).sum(axis=2)
    one_model = np.array([[host.camera == donor.camera for donor in donors] for host in hosts[:count]])
    costs = stops + _FORBIDDEN * one_model
    rows, columns = linear_sum_assignment(costs)
    best = np.argsort(costs[rows, columns], kind="stable")[: count // 2]
    pairs = [(int(rows[place]), int(columns[place]), "similar") for place in best]
    rows, columns = np.delete(rows, best), np.delete(columns, best)
    left, right = linear_sum_assignment((rng.random(costs.shape) + _FORBIDDEN * one_model)[np.ix_(rows, columns)])
    pairs += [(int(rows[a]), int(columns[b]), "any") for a, b in zip(left, right, strict=True)]

    numbers = rng.permutation(2 * count).tolist()
    images = []
    for place, (host, donor, kind) in enumerate(pairs):
        quality = int(rng.integers(QUALITIES[0], QUALITIES[1] + 1)) if place // 2 % 2 else None
        edge = ("hard", "soft")[place % 2]
        apart = round(float(stops[host, donor]), 2)
        images.append(PlannedImage(numbers.pop(), hosts[host], donors[donor], kind, apart, edge, quality))
        images.append(PlannedImage(numbers.pop(), hosts[count + place], None, None, None, None, quality))
    return sorted(images, key=lambda image: image.number)


def splice(rng: np.random.Generator, host: np.ndarray, donor: np.ndarray, soft: bool) -> tuple[np.ndarray, np.ndarray]:
    """Copy a random region of `donor` into `host`.

    The donor, which may have another size, is shifted by up to 7 pixels, so that its JPEG grid and color filter array
    are seldom aligned with those of the host.

    Args:
        rng: Random generator.
        host: uint8 (h, w, 3).
        donor: uint8 (height, width, 3).
        soft: Whether to blur the edge of the region.

    Returns:
        The spliced image, uint8 (h, w, 3), and its mask, boolean (h, w): where at least half is from the donor.
    """
    down, right = rng.integers(8, size=2)
    height, width = (min(sides) for sides in zip(host.shape[:2], donor[down:, right:].shape[:2], strict=True))
    region = draw_region(rng, host.shape[0], host.shape[1], inside=(height, width), margin=MARGIN)
    alpha: np.ndarray = region.astype(np.float32)
    if soft:
        alpha = cv2.GaussianBlur(alpha, (0, 0), float(rng.uniform(*SOFTNESS)))
    pixels = host.copy()
    part, weight = host[:height, :width], alpha[:height, :width, None]
    blend = part + weight * (donor[down:, right:][:height, :width].astype(np.float32) - part)
    pixels[:height, :width] = np.clip(np.rint(blend), 0, 255)
    return pixels, alpha >= 0.5


def _source_photos(count: int, device: int, first: int = 0) -> list[SourcePhoto]:
    """`count` photos by device number `device` of all cameras in rotation, starting with camera number `first`."""
    names = list(CAMERAS)
    rotation = (names[(first + index) % len(names)] for index in range(count))
    return [SourcePhoto(name, device_name(name, device), index) for index, name in enumerate(rotation)]


def _take_photo(folder: Path, seed: int, scale: float, photo: SourcePhoto) -> None:
    """Write one photo. Runs in a worker process."""
    with one_thread():
        data = take_photo(find_camera(photo.camera), photo.device, seed, photo.index, scale).jpeg()
    write_bytes(data, folder / photo.path)


def _settings_in_stops(folder: Path, photo: SourcePhoto) -> tuple[float, float, float]:
    """Aperture, ISO and exposure time in stops."""
    header = read_header(folder / photo.path)
    aperture, iso, time = np.log2(np.array([header.f_number, header.iso, header.exposure_time], dtype=float))
    return 2 * float(aperture), float(iso), float(time)


def _make_image(folder: Path, seed: int, image: PlannedImage) -> float:
    """Write an image and its mask. Returns the share of its area that is spliced. Runs in a worker process."""
    pixels = decode_jpeg((folder / image.host.path).read_bytes())
    share = 0.0
    if image.donor:
        donor = decode_jpeg((folder / image.donor.path).read_bytes())
        with one_thread():
            pixels, mask = splice(np.random.default_rng([seed, 2, image.number]), pixels, donor, image.edge == "soft")
        share = float(mask.mean())
        _save(mask.astype(np.uint8) * 255, folder / f"masks/{image.number:04d}.png")
    _save(pixels, folder / image.path, image.quality)
    return round(share, 4)


def _save(pixels: np.ndarray, path: Path, quality: int | None = None) -> None:
    """Write pixels as JPEG of some `quality`, or as PNG. An existing file has the same pixels and is kept."""
    if path.exists():
        return
    buffer = io.BytesIO()
    if quality is None:
        Image.fromarray(pixels).save(buffer, "PNG")
    else:
        Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    write_bytes(buffer.getvalue(), path)
