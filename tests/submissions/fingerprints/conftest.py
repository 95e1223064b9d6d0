"""Photos by devices that the tests make: a smooth scene, the gain of the sensor's pixels, and noise."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

HEIGHT, WIDTH = 160, 192
GAIN = 0.02  # standard deviation of the relative gain of a pixel

TakePhoto = Callable[[int, int], np.ndarray]
TakePhotos = Callable[..., list[Path]]


def take_photo(device: int, index: int) -> np.ndarray:
    """Return photo `index` of a device, uint8 (HEIGHT, WIDTH, 3)."""
    gain = 1 + GAIN * np.random.default_rng(device).standard_normal((HEIGHT, WIDTH))
    rng = np.random.default_rng((device, index))
    row, column = np.mgrid[:HEIGHT, :WIDTH]
    scene = 120 + 60 * np.sin(row / rng.uniform(15, 40) + rng.uniform(0, 6)) * np.cos(column / rng.uniform(15, 40))
    levels = scene * gain + rng.normal(0, 2, (HEIGHT, WIDTH))
    return np.repeat(np.clip(np.rint(levels), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.fixture
def take_photos(tmp_path: Path) -> TakePhotos:
    """A function (device, indices) → PNG files of photos."""

    def take(device: int, indices: Sequence[int]) -> list[Path]:
        paths = []
        for index in indices:
            paths.append(tmp_path / f"device{device}" / f"{index}.png")
            paths[-1].parent.mkdir(exist_ok=True)
            Image.fromarray(take_photo(device, index)).save(paths[-1])
        return paths

    return take
