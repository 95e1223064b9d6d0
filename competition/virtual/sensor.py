"""The sensor of one device: color filters, shot and read noise, PRNU, hot pixels, the converter."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from competition.virtual.cameras import WHITE_LEVEL, Camera
from competition.virtual.window import Window, white_noise

PRNU_STRENGTH = 0.012  # relative, about that of phones
_DARK_CURRENT = 15.0  # electrons a second
_HOT_SHARE, _HOT_CURRENT = 1e-4, 3000.0  # share of pixels; their electrons a second


@dataclass(frozen=True)
class Device:
    """One camera body: gain of every pixel (h, w), which is its PRNU; dark current of every pixel in electrons a second
    (h, w); and how its colors deviate from its model's, as gains (3,)."""

    gain: np.ndarray
    dark_current: np.ndarray
    color: np.ndarray


def name_seed(name: str) -> int:
    """A number that stands for a name in every process (unlike `hash`)."""
    return zlib.crc32(name.encode())


def make_device(name: str, frame: Window, window: Window | None = None) -> Device:
    """The body called `name`, with a sensor of the size of `frame`; the same name is always the same body.

    `window` is the part of the sensor that is returned (default: all of it).
    """
    window = window or frame
    rng = np.random.default_rng([name_seed(name), frame.height, frame.width])
    gain = white_noise(int(rng.integers(2**32)), window)
    gain *= np.float32(PRNU_STRENGTH)
    gain += 1
    dark = np.full(gain.shape, _DARK_CURRENT, np.float32)
    count = max(1, int(_HOT_SHARE * frame.height * frame.width))
    rows = rng.integers(frame.height, size=count) - window.top
    columns = rng.integers(frame.width, size=count) - window.left
    currents = rng.exponential(_HOT_CURRENT, size=count)
    inside = (rows >= 0) & (rows < window.height) & (columns >= 0) & (columns < window.width)
    dark[rows[inside], columns[inside]] = currents[inside]
    return Device(gain, dark, np.exp(rng.normal(0, 0.05, size=3)).astype(np.float32))


def mosaic(planes: Sequence[np.ndarray], pattern: str) -> np.ndarray:
    """Keep of the red, green and blue plane (h, w) the one color that the filter of each pixel passes: (h, w).

    `pattern` are the colors of the top left 2×2 pixels, row by row, as "RGGB".
    """
    out = np.empty_like(planes[0])
    for place, color in enumerate(pattern):
        row, column = divmod(place, 2)
        out[row::2, column::2] = planes["RGB".index(color)][row::2, column::2]
    return out


def expose(
    noise: np.ndarray, signal: np.ndarray, camera: Camera, device: Device, iso: int, exposure_time: float
) -> np.ndarray:
    """Digital numbers (h, w) in [0, `WHITE_LEVEL`] of a mosaic `signal`, where 1 just fills the range at this ISO.

    `noise` (h, w) is standard normal. ISO is analog gain: twice the ISO fills the range with half the electrons, so
    shot noise grows; read noise has a part before and one after that gain.
    """
    well = camera.full_well * 100 / iso
    electrons = signal * device.gain
    electrons *= np.float32(well)
    electrons += device.dark_current * np.float32(exposure_time)
    # Shot noise is Poisson; at these counts a Gaussian of its variance is as good and ten times as fast.
    deviation = np.maximum(electrons, 0)
    deviation += np.float32(camera.read_noise**2 * (0.25 + 0.75 * (100 / iso) ** 2))
    np.sqrt(deviation, out=deviation)
    deviation *= noise
    electrons += deviation
    electrons *= np.float32((WHITE_LEVEL - camera.black_level) / well)
    electrons += np.float32(camera.black_level)
    np.rint(electrons, out=electrons)
    return np.clip(electrons, 0, WHITE_LEVEL, out=electrons)
