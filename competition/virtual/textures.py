"""Textures and uneven light of a scene. They can be evaluated on any window of a photo."""

from dataclasses import dataclass

import cv2
import numpy as np

from competition.virtual.window import Window, white_noise

_REACH = 3  # pixels that cubic enlargement by two needs around its result


@dataclass(frozen=True)
class Canvas:
    """Pixels, or blocks of pixels, to paint. All arrays are float32.

    `x` (w,) and `y` (h,) are columns and rows in the photo, `light_rows` (h, k) @ `light_columns` (k, w) the logarithm
    of the light there, `textures` pink noise and grain (h, w).
    """

    x: np.ndarray
    y: np.ndarray
    light_rows: np.ndarray
    light_columns: np.ndarray
    textures: tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Textures:
    """Random fields of one scene: pink noise of some `octaves`, grain with `grain_sigma` (x, y) in pixels, the seeds of
    both, and the logarithm of the light of the whole photo, `light_rows` (height, k) @ `light_columns` (k, width)."""

    octaves: int
    pink_seed: int
    grain_sigma: tuple[float, float]
    grain_seed: int
    light_rows: np.ndarray
    light_columns: np.ndarray

    def canvas(self, window: Window, step: int) -> Canvas:
        """Evaluate a window in blocks of `step`×`step` pixels (a power of two), without detail finer than a block."""
        y, x = (
            (np.arange(first, first + count) + 0.5) * step - 0.5
            for first, count in ((window.top, window.height), (window.left, window.width))
        )
        rows = np.clip(y.astype(int), 0, len(self.light_rows) - 1)
        columns = np.clip(x.astype(int), 0, self.light_columns.shape[1] - 1)
        pink = pink_noise(self.pink_seed, window, self.octaves - step.bit_length() + 1)
        pink /= np.float32(np.sqrt(self.octaves))
        return Canvas(
            x.astype(np.float32),
            y.astype(np.float32),
            self.light_rows[rows],
            self.light_columns[:, columns],
            (pink, grain(self.grain_seed, window, self.grain_sigma, step)),
        )


def make_textures(rng: np.random.Generator, height: int, width: int) -> Textures:
    """Return random textures for a scene of `height`×`width` pixels."""
    sigma = rng.uniform(0.6, 1.6), rng.uniform(0.6, 4.0)
    if rng.random() < 0.5:
        sigma = sigma[::-1]
    octaves = int(np.log2(min(height, width) / 3))
    seeds = rng.integers(2**32, size=2).tolist()
    return Textures(octaves, seeds[0], sigma, seeds[1], *_make_light(rng, height, width))


def _make_light(rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Slow changes of the light: a coarse random grid, enlarged by cubic interpolation, and a vertical slope."""
    coarse = rng.normal(0, rng.uniform(0.1, 0.5), size=(4, 5)).astype(np.float32)
    down, across = (
        cv2.resize(np.eye(count, dtype=np.float32), (count, side), interpolation=cv2.INTER_CUBIC)
        for count, side in zip(coarse.shape, (height, width), strict=True)
    )
    slope = rng.normal(0, 0.3) * np.linspace(-1, 1, height, dtype=np.float32)
    rows = np.column_stack([down @ coarse, slope]).astype(np.float32)
    return rows, np.vstack([across.T, np.ones(width, np.float32)])


def pink_noise(seed: int, window: Window, octaves: int) -> np.ndarray:
    """Return noise with a variance of about 1 in each octave (a 1/f amplitude spectrum), float32 (h, w)."""
    noise = white_noise(seed + octaves, window)
    if octaves == 1:
        return noise
    outer = window.coarse(2).grown(_REACH)
    coarse = pink_noise(seed, outer, octaves - 1)
    fine = cv2.resize(coarse, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    noise += fine[window.place_in(outer.fine(2))]
    return noise


def grain(seed: int, window: Window, sigma: tuple[float, float], step: int) -> np.ndarray:
    """Return white noise, blurred with standard deviations `sigma` (x, y) in pixels: cloth, grass, bark.

    `window` is in blocks of `step`×`step` pixels. The standard deviation is 1 for single pixels, and that of the
    mean of a block for larger steps.
    """
    blurred = [np.sqrt(s**2 + (step**2 - 1) / 12) for s in sigma]
    across, down = (cv2.getGaussianKernel(2 * int(np.ceil(3 * s / step)) + 1, s / step, cv2.CV_32F) for s in blurred)
    deviation = np.sqrt((across**2).sum() * (down**2).sum() * np.prod(blurred) / np.prod(sigma))
    y, x = len(down) // 2, len(across) // 2
    outer = Window(window.top - y, window.left - x, window.height + 2 * y, window.width + 2 * x)
    noise = cv2.sepFilter2D(white_noise(seed, outer), -1, across, down / np.float32(deviation))
    return np.ascontiguousarray(noise[window.place_in(outer)])
