from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from submissions.splices.detector import Encoder
from submissions.splices.evaluate import MapCache

HEIGHT, WIDTH = 60, 90


class RoughnessEncoder:
    """Encodes the standard deviation of a patch, and counts the patches."""

    def __init__(self, identity: str = "roughness") -> None:
        self.patches = 0
        self.encoder = Encoder(identity, 16, self.embed)

    def embed(self, patches: np.ndarray, on_progress: Callable[[int], None]) -> np.ndarray:
        self.patches += len(patches)
        angle = patches.std(axis=(1, 2, 3)) / 80 * np.pi / 2
        return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)

    def maps(self, folder: Path, method: str = "shift") -> MapCache:
        return MapCache(self.encoder, folder, 12, method)


@pytest.fixture
def make_encoder() -> type[RoughnessEncoder]:
    """Makes an encoder that distinguishes noise from smooth patches and counts the patches that it embeds."""
    return RoughnessEncoder


@pytest.fixture
def make_picture() -> Callable[[int, bool], tuple[np.ndarray, np.ndarray]]:
    """Makes a smooth picture, uint8 (60, 90, 3), with a noisy rectangle if it is spliced, and the mask."""

    def make(seed: int, spliced: bool) -> tuple[np.ndarray, np.ndarray]:
        noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        mask = np.zeros((HEIGHT, WIDTH), bool)
        mask[10:40, 10 : 40 + seed] = spliced
        return np.where(mask[..., None], noise, 100 + noise // 40), mask

    return make


@pytest.fixture
def tree(tmp_path: Path, make_picture: Callable[[int, bool], tuple[np.ndarray, np.ndarray]]) -> Path:
    """A data set of three forged and two authentic images in the general layout."""
    for number in range(5):
        pixels, mask = make_picture(number, number < 3)
        for folder, content in (("images", pixels), ("masks", mask)):
            (tmp_path / "tree" / folder).mkdir(parents=True, exist_ok=True)
            if folder == "images" or number < 3:
                Image.fromarray(content).save(tmp_path / "tree" / folder / f"{number}.png")
    return tmp_path / "tree"
