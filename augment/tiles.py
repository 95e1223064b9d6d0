"""Tiles from all over a photo, laid side by side in a square: the evidence of the whole photo for local statistics."""

import numpy as np

from competition.utils.errors import InputError

TILE = 32  # pixels: four blocks of the JPEG grid, so that no block spans two tiles, at a quarter of the size either


def tile(pixels: np.ndarray, size: int, rng: np.random.Generator | None = None) -> np.ndarray:
    """Lay tiles of a photo side by side in a square.

    The distribution of local features over blocks hardly depends on where the blocks are. A square of tiles therefore
    shows such features of the whole photo, for photos of any size and orientation. Tiles begin at multiples of `TILE`
    and keep their order. If the photo has more tiles than the square, some are left out; if it has fewer, some occur
    more often.

    Args:
        pixels: uint8 (height, width, 3).
        size: side of the square, pixels, a multiple of `TILE`.
        rng: chooses the tiles at random. None chooses tiles at equal distances.

    Returns:
        uint8 (size, size, 3).

    Raises:
        InputError: the photo is smaller than a tile.
    """
    rows, columns = (side // TILE for side in pixels.shape[:2])
    available, across = rows * columns, size // TILE
    if not available:
        height, width = pixels.shape[:2]
        raise InputError(f"expected a photo of at least {TILE} x {TILE} pixels, received {width} x {height}")
    chosen = np.arange(across**2) * available // across**2
    if rng is not None:
        whole, rest = divmod(across**2, available)  # how often every tile occurs, and how many occur once more
        chosen = np.sort(np.append(np.repeat(np.arange(available), whole), rng.permutation(available)[:rest]))
    cut = pixels[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE, 3).swapaxes(1, 2)
    tiles = cut.reshape(available, TILE, TILE, 3)[chosen]
    return tiles.reshape(across, across, TILE, TILE, 3).swapaxes(1, 2).reshape(size, size, 3)
