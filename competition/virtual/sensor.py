"""The sensor of one device: color filters, shot and read noise, PRNU, hot pixels, the converter."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from competition.virtual.cameras import WHITE_LEVEL, Camera
from competition.virtual.window import Window, white_noise

PRNU_STRENGTH = 0.012  # relative, about that of phones
MIDDLE_GRAY = 0.17  # signal to which the light meter exposes the average of a scene
_DARK_CURRENT = 15.0  # electrons per second
_HOT_SHARE, _HOT_CURRENT = 1e-4, 3000.0  # share of hot pixels; their mean dark current in electrons per second


@dataclass(frozen=True)
class Device:
    """One device (body of a camera): gain of each pixel (h, w), which is the PRNU; dark current of each pixel (h, w) in
    electrons per second; gains (3,) by which its colors deviate from those of its model."""

    gain: np.ndarray
    dark_current: np.ndarray
    color: np.ndarray


def name_seed(name: str) -> int:
    """Return a seed for a name that is the same in every process (unlike `hash`)."""
    return zlib.crc32(name.encode())


def make_device(name: str, frame: Window, window: Window | None = None) -> Device:
    """Return the device called `name`, with a sensor of the size of `frame`. A name always gives the same device.

    `window` is the part of the sensor that is returned (default: all).
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
    """Sample red, green and blue planes (h, w) behind the color filter array: one color per pixel, (h, w).

    `pattern` are the colors of the top left 2×2 pixels, row by row, as "RGGB".
    """
    out = np.empty_like(planes[0])
    for place, color in enumerate(pattern):
        row, column = divmod(place, 2)
        out[row::2, column::2] = planes["RGB".index(color)][row::2, column::2]
    return out


def expose(
    signal: np.ndarray, noise: np.ndarray, camera: Camera, device: Device, iso: int, exposure_time: float
) -> np.ndarray:
    """Convert a mosaic `signal` (h, w) to digital numbers in [0, `WHITE_LEVEL`].

    A signal of 1 just fills the range at this ISO. `noise` (h, w) is standard normal. ISO is analog gain: twice the ISO
    fills the range with half the electrons, so shot noise grows.
    """
    well = camera.full_well * 100 / iso
    electrons = signal * device.gain
    electrons *= np.float32(well)
    electrons += device.dark_current * np.float32(exposure_time)
    # Shot noise has a Poisson distribution. At these counts a normal one is as good and ten times as fast.
    deviation = np.maximum(electrons, 0)
    deviation += np.float32(_read_variance(camera, iso))
    np.sqrt(deviation, out=deviation)
    deviation *= noise
    electrons += deviation
    electrons *= np.float32((WHITE_LEVEL - camera.black_level) / well)
    electrons += np.float32(camera.black_level)
    np.rint(electrons, out=electrons)
    return np.clip(electrons, 0, WHITE_LEVEL, out=electrons)


def noise_level(camera: Camera, iso: int) -> float:
    """Return the standard deviation of shot and read noise at `MIDDLE_GRAY`, as a share of the range."""
    well = camera.full_well * 100 / iso
    return float(np.sqrt(MIDDLE_GRAY * well + _read_variance(camera, iso)) / well)


def _read_variance(camera: Camera, iso: int) -> float:
    """Variance of the read noise, in squared electrons. It has a part before and a part after the gain."""
    return camera.read_noise**2 * (0.25 + 0.75 * (100 / iso) ** 2)
