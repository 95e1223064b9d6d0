"""The sensor of one device: color filters, shot and read noise, PRNU, hot pixels, the converter."""

import zlib
from dataclasses import dataclass

import numpy as np

from competition.virtual.cameras import WHITE_LEVEL, Camera

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


def make_device(name: str, height: int, width: int) -> Device:
    """The body called `name`, with a sensor of `height`×`width` pixels; the same name is always the same body."""
    rng = np.random.default_rng([name_seed(name), height, width])
    gain = 1 + PRNU_STRENGTH * rng.standard_normal((height, width), dtype=np.float32)
    dark = np.full((height, width), _DARK_CURRENT, np.float32)
    hot = rng.integers(height * width, size=max(1, int(_HOT_SHARE * height * width)))
    dark.ravel()[hot] = rng.exponential(_HOT_CURRENT, size=len(hot))
    return Device(gain, dark, np.exp(rng.normal(0, 0.05, size=3)).astype(np.float32))


def mosaic(image: np.ndarray, pattern: str) -> np.ndarray:
    """Keep of each pixel of (h, w, 3) the one color its filter passes: (h, w). `pattern` as "RGGB", row by row."""
    out = np.empty(image.shape[:2], np.float32)
    for place, color in enumerate(pattern):
        row, column = divmod(place, 2)
        out[row::2, column::2] = image[row::2, column::2, "RGB".index(color)]
    return out


def expose(
    rng: np.random.Generator, signal: np.ndarray, camera: Camera, device: Device, iso: int, exposure_time: float
) -> np.ndarray:
    """Digital numbers (h, w) in [0, `WHITE_LEVEL`] of a mosaic `signal`, where 1 just fills the range at this ISO.

    ISO is analogue gain: twice the ISO fills the range with half the electrons, so shot noise grows; read noise has a
    part before and one after that gain.
    """
    well = camera.full_well * 100 / iso
    electrons = signal * device.gain * well + device.dark_current * exposure_time
    variance = np.maximum(electrons, 0) + camera.read_noise**2 * (0.25 + 0.75 * (100 / iso) ** 2)
    # Shot noise is Poisson; at these counts a Gaussian of its variance is as good and ten times as fast.
    electrons += np.sqrt(variance) * rng.standard_normal(signal.shape, dtype=np.float32)
    step = (WHITE_LEVEL - camera.black_level) / well
    return np.clip(np.rint(electrons * step + camera.black_level), 0, WHITE_LEVEL).astype(np.float32)
