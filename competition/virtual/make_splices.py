"""The virtual splices: a region of one virtual camera's photograph in another one's, and as many authentic photographs.

    splices.json, splices.csv       what was made of what
    photographs/<device>_<index>.jpg    as the cameras wrote them, with EXIF
    images/<number>.png or .jpg     the pictures to judge, without EXIF, spliced and authentic ones in no order
    masks/<number>.png              white where a picture is spliced

Bodies and scenes are others than the virtual competition's, so that what learnt from it can be judged here.
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
from competition.utils.atomic_files import read_json, write_bytes, write_csv, write_json
from competition.utils.errors import InputError, unknown_name
from competition.utils.parallel import parallel_map
from competition.virtual.cameras import CAMERAS, find_camera
from competition.virtual.capture import take_photo
from competition.virtual.files import decode_jpeg
from competition.virtual.make_competition import device
from competition.virtual.regions import draw_region
from competition.virtual.threads import one_thread

VERSION = 2  # of the generator: raise it when the same seed makes other pixels
HOST_BODY, DONOR_BODY = 9001, 9002  # the virtual competition's bodies are numbered from 1
QUALITIES = 70, 95
SOFTNESS = 1.0, 4.0  # standard deviation in pixels of the blur that makes an edge soft
MARGIN = 16  # pixels: as far as the softest edge reaches
_FORBIDDEN = 1e6  # stops, for two photographs by one model
_TASKS_AT_ONCE = 4


@dataclass(frozen=True)
class SplicesSize:
    """How much to make: so many spliced and as many authentic pictures, and the scale of photographs (1 is about
    640×480)."""

    forged: int
    scale: float


SIZES: dict[str, SplicesSize] = {
    "smoke": SplicesSize(forged=4, scale=0.5),  # tests: seconds
    "small": SplicesSize(forged=40, scale=1.1),  # the default
    "full": SplicesSize(forged=200, scale=1.1),  # an interval half as wide
}


@dataclass(frozen=True)
class Shot:
    """One photograph by a virtual camera."""

    camera: str
    device: str
    index: int

    @property
    def path(self) -> str:
        """Where it is kept, in the folder of the splices."""
        return f"photographs/{self.device}_{self.index:04d}.jpg"


@dataclass(frozen=True)
class Picture:
    """One picture to make. `donor` is None for an authentic one, `quality` for one that is saved without loss;
    `settings` is "similar" where the donor was sought among all for its settings, else "any"; `stops` is how far
    aperture, ISO and exposure time of the two are apart, added up."""

    number: int
    host: Shot
    donor: Shot | None
    settings: str | None
    stops: float | None
    edge: str | None
    quality: int | None

    @property
    def path(self) -> str:
        """Where it is kept, in the folder of the splices."""
        return f"images/{self.number:04d}.{'png' if self.quality is None else 'jpg'}"


def find_size(name: str) -> SplicesSize:
    """The size called `name`; an unknown name is an `InputError`."""
    if name not in SIZES:
        raise unknown_name("size of the virtual splices", name, SIZES)
    return SIZES[name]


def make_splices(folder: Path | str, size: SplicesSize, seed: int, jobs: int = -1) -> pd.DataFrame:
    """Make `folder` and return what is also its splices.csv, one row a picture.

    Columns: name (of the image), host_camera, host_device, donor_camera, donor_device (null for authentic
    pictures), settings, stops, share (of the area that is spliced), edge (hard or soft), quality (of the
    recompression; null for none). `jobs` processes share the work; the result does not depend on their number.
    A folder that was left half-made is completed; one that holds anything else is an `InputError`.
    """
    folder = Path(folder)
    record = {"what": "virtual splices: simulated photographs", "version": VERSION, "seed": seed, **asdict(size)}
    _claim(folder, record)
    hosts, donors = _shots(2 * size.forged, HOST_BODY), _shots(size.forged, DONOR_BODY, first=len(CAMERAS) // 2)
    missing = [shot for shot in hosts + donors if not (folder / shot.path).exists()]
    for _ in parallel_map(partial(_take, folder, seed, size.scale), missing, jobs, "photographs", _TASKS_AT_ONCE):
        pass
    pictures = plan_pictures(hosts, donors, [_settings(folder, shot) for shot in hosts + donors], seed)
    shares = list(parallel_map(partial(_make, folder, seed), pictures, jobs, "pictures", _TASKS_AT_ONCE))
    table = pd.DataFrame(
        {
            "name": Path(picture.path).name,
            "host_camera": picture.host.camera,
            "host_device": picture.host.device,
            "donor_camera": picture.donor.camera if picture.donor else None,
            "donor_device": picture.donor.device if picture.donor else None,
            "settings": picture.settings,
            "stops": picture.stops,
            "share": share,
            "edge": picture.edge,
            "quality": picture.quality,
        }
        for picture, share in zip(pictures, shares, strict=True)
    ).astype({"quality": "Int64"})
    write_csv(table, folder / "splices.csv")
    write_json(record | {"complete": True}, folder / "splices.json")
    return table


def plan_pictures(
    hosts: Sequence[Shot], donors: Sequence[Shot], settings: Sequence[tuple[float, float, float]], seed: int
) -> list[Picture]:
    """What is made of 2n `hosts` and n `donors`: n spliced pictures and n authentic ones, in order of number.

    `settings` are those of hosts and donors, in stops. No picture joins two photographs by one model. Half of the
    splices have the donors that suit their hosts' settings best. Edges and recompression are spread evenly over
    both halves, and authentic pictures are recompressed as often, with the same qualities.
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
    pictures = []
    for place, (host, donor, kind) in enumerate(pairs):
        quality = int(rng.integers(QUALITIES[0], QUALITIES[1] + 1)) if place // 2 % 2 else None
        edge = ("hard", "soft")[place % 2]
        apart = round(float(stops[host, donor]), 2)
        pictures.append(Picture(numbers.pop(), hosts[host], donors[donor], kind, apart, edge, quality))
        pictures.append(Picture(numbers.pop(), hosts[count + place], None, None, None, None, quality))
    return sorted(pictures, key=lambda picture: picture.number)


def splice(rng: np.random.Generator, host: np.ndarray, donor: np.ndarray, soft: bool) -> tuple[np.ndarray, np.ndarray]:
    """`host` with a region of `donor` in it, uint8 (h, w, 3), and where it is, (h, w) boolean, both of host's size.

    `donor` may have another size. It lies up to 7 pixels off, as if moved by hand, so that its JPEG grid and
    color filter seldom meet the host's. A soft edge is blurred; the mask is where at least half is the donor's.
    """
    down, right = rng.integers(8, size=2)
    height, width = (min(sides) for sides in zip(host.shape[:2], donor[down:, right:].shape[:2], strict=True))
    region = draw_region(rng, host.shape[0], host.shape[1], inside=(height, width), margin=MARGIN)
    alpha: np.ndarray = region.astype(np.float32)
    if soft:
        alpha = cv2.GaussianBlur(alpha, (0, 0), float(rng.uniform(*SOFTNESS)))
    pixels = host.copy()
    window, weight = host[:height, :width], alpha[:height, :width, None]
    blend = window + weight * (donor[down:, right:][:height, :width].astype(np.float32) - window)
    pixels[:height, :width] = np.clip(np.rint(blend), 0, 255)
    return pixels, alpha >= 0.5


def _shots(count: int, body: int, first: int = 0) -> list[Shot]:
    """`count` photographs by body `body` of all cameras by turns, beginning with camera number `first`."""
    names = list(CAMERAS)
    dihedral = (names[(first + index) % len(names)] for index in range(count))
    return [Shot(name, device(name, body), index) for index, name in enumerate(dihedral)]


def _take(folder: Path, seed: int, scale: float, shot: Shot) -> None:
    """Runs in a worker process."""
    with one_thread():
        data = take_photo(find_camera(shot.camera), shot.device, seed, shot.index, scale).jpeg()
    write_bytes(data, folder / shot.path)


def _settings(folder: Path, shot: Shot) -> tuple[float, float, float]:
    """Aperture, ISO and exposure time in stops."""
    header = read_header(folder / shot.path)
    aperture, iso, time = np.log2(np.array([header.f_number, header.iso, header.exposure_time], dtype=float))
    return 2 * float(aperture), float(iso), float(time)


def _make(folder: Path, seed: int, picture: Picture) -> float:
    """Write the picture and its mask; the share of it that is spliced. Runs in a worker process."""
    pixels = decode_jpeg((folder / picture.host.path).read_bytes())
    share = 0.0
    if picture.donor:
        donor = decode_jpeg((folder / picture.donor.path).read_bytes())
        with one_thread():
            pixels, mask = splice(
                np.random.default_rng([seed, 2, picture.number]), pixels, donor, picture.edge == "soft"
            )
        share = float(mask.mean())
        _save(mask.astype(np.uint8) * 255, folder / f"masks/{picture.number:04d}.png")
    _save(pixels, folder / picture.path, picture.quality)
    return round(share, 4)


def _save(pixels: np.ndarray, path: Path, quality: int | None = None) -> None:
    """As JPEG of `quality`, or without loss as PNG; a file that exists is the same and is left as it is."""
    if path.exists():
        return
    buffer = io.BytesIO()
    if quality is None:
        Image.fromarray(pixels).save(buffer, "PNG")
    else:
        Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    write_bytes(buffer.getvalue(), path)


def _claim(folder: Path, record: dict[str, object]) -> None:
    """Write down what `folder` is going to hold, or check that it is the same."""
    note = folder / "splices.json"
    if note.exists():
        found = read_json(note)
        if {key: found.get(key) for key in record} != record:
            raise InputError(
                f"{folder} holds virtual splices of another size, seed or version; choose another folder or delete it"
            )
    elif folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} holds other files and no splices.json; choose an empty or new folder")
    else:
        write_json(record | {"complete": False}, note)
