"""Does all of a photograph come from one camera? Patches on a grid, and how consistent its places are with each other.

After Zheng, Shrivastava and Owens, "EXIF as Language" (CVPR 2023), section 3.3. The grid's unit is the cell: a square
of `stride` pixels. Patches start a stride apart and cover `spread` × `spread` cells each, so a cell is judged by all
the patches that cover it.

Otherwise than published, every patch has the place in the photograph's 8×8 JPEG blocks that patches had in training
(`augment.crops`), for which its start moves by up to 4 pixels. At other places a network sees other traces, and finds
authentic photographs inconsistent that are not; a splice hardly ever fits the blocks of its host.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from augment.crops import JPEG_BLOCK, phase_positions
from competition.utils.errors import InputError

# Cells along a patch at most: patches closer than that see the same pixels, and memory grows as its 4th power.
FINEST = 16
UNIT = 1e-3  # how far from 1 the length of a unit embedding may be: float16 rounds to that


@dataclass(frozen=True)
class Grid:
    """Where patches of `patch` pixels lie on a photograph of `height` × `width` pixels: about `stride` pixels apart."""

    height: int
    width: int
    patch: int
    stride: int

    @property
    def tops(self) -> NDArray[np.int64]:
        """First pixel row of each row of patches, int64 (rows,)."""
        return self._starts(self.height)

    @property
    def lefts(self) -> NDArray[np.int64]:
        """First pixel column of each column of patches, int64 (columns,)."""
        return self._starts(self.width)

    @property
    def spread(self) -> int:
        """Cells along a patch; 1 where patches do not overlap."""
        return max(1, self.patch // self.stride)

    def _starts(self, side: int) -> NDArray[np.int64]:
        places = np.array(phase_positions(side, self.patch))
        steps = np.arange(0, places[-1] - places[0] + 1, self.stride)
        return places[np.rint(steps / JPEG_BLOCK).astype(np.int64)]


def grid_positions(height: int, width: int, patch: int, count: int = 30) -> Grid:
    """A grid with at most, and mostly about, `count` patches along the longer side of a photograph.

    The stride is at least a JPEG block's 8 pixels and a sixteenth of a patch, so photographs below some three patches
    have fewer; a photograph of a patch's size has one. All sizes in pixels. There are at most `count + 15` cells along
    a side.
    Raises `InputError` for a photograph smaller than a patch and for a count below 1.
    """
    if count < 1 or patch < 1:
        raise InputError(f"a grid of {count} patches of {patch} pixels is none; give at least 1 of each")
    if min(height, width) < patch:
        raise InputError(f"the photograph has {width}x{height} pixels, less than a patch of {patch}; give a larger one")
    # The least that leaves at most `count`: the published division gives 0 near one patch, and a little above twice as
    # many patches as it should.
    stride = (max(height, width) - patch) // count + 1
    return Grid(height, width, patch, max(stride, JPEG_BLOCK, -(-patch // FINEST)))


def consistency_map(embeddings: ArrayLike, spread: int) -> NDArray[np.float32]:
    """How unlike each cell is each other cell: float32 (R, C, R, C), 0 (the same) to 2 (opposite), symmetric.

    `embeddings`: (rows, columns, width) of unit length, one for each patch; patch (r, c) covers the cells
    r…r+spread−1 × c…c+spread−1, so R = rows + spread − 1 and C = columns + spread − 1. Entry [a, b] is the mean of
    1 − cosine over all pairs of a patch that covers a and one that covers b. The published code fills it by a loop over
    pairs; the mean of products is the product of means, 1 − F̄a·F̄b with F̄ the mean embedding over a cell.
    Takes 4 (R·C)² bytes: 16 MiB at the 45 × 45 cells that `grid_positions` gives at most by default.
    Raises ValueError for another shape, a spread below 1 and embeddings that are not finite and of unit length.
    """
    means = cell_means(embeddings, spread)
    rows, columns, width = means.shape
    flat = means.reshape(-1, width)
    similarity = flat @ flat.T
    return np.subtract(1, similarity, out=similarity).reshape(rows, columns, rows, columns)


def detection_score(embeddings: ArrayLike, spread: int = 1) -> float:
    """How inconsistent a photograph is with itself: 1 − ‖mean F̄‖², from 0 (all alike) to 1.

    The mean is over cells, so the score is the mean of `consistency_map(embeddings, spread)`, which is not computed.
    By default a cell is a patch and every pair of patches counts once; a larger spread counts patches at the border,
    which have some cells to themselves, more. Arguments and errors: `consistency_map`'s.
    """
    mean = cell_means(embeddings, spread).mean(axis=(0, 1), dtype=np.float64)
    return max(0.0, 1 - float(mean @ mean))


def cell_means(embeddings: ArrayLike, spread: int) -> NDArray[np.float32]:
    """Mean embedding of the patches that cover each cell: float32 (R, C, width). See `consistency_map`."""
    patches = np.asarray(embeddings, np.float32)
    if patches.ndim != 3 or not patches.size or spread < 1:
        raise ValueError(f"expected embeddings (rows, columns, width) and a spread; got {patches.shape}, {spread}")
    if not (np.abs(np.einsum("rcw,rcw->rc", patches, patches) - 1) <= 2 * UNIT).all():
        raise ValueError("expected embeddings of unit length")
    rows, columns, width = patches.shape
    down = (_covering(rows, spread) @ patches.reshape(rows, -1)).reshape(-1, columns, width)
    return np.asarray(_covering(columns, spread) @ down, np.float32)


def _covering(count: int, spread: int) -> NDArray[np.float32]:
    """Along one side, the share of each of `count` patches in each cell: (count + spread − 1, count)."""
    cell, patch = np.ogrid[: count + spread - 1, :count]
    covers = ((patch <= cell) & (cell < patch + spread)).astype(np.float32)
    return covers / covers.sum(axis=1, keepdims=True)


def upsample(cells: ArrayLike, grid: Grid) -> NDArray[np.float32]:
    """A map of cells, (R, C), as pixels of the photograph: float32 (height, width), bilinear between cells' centers.

    Pixels beyond the outermost centers have the value of the nearest. Takes 4 bytes a pixel.
    Raises ValueError where the map does not belong to the grid.
    """
    values = np.asarray(cells, np.float32)
    expected = (len(grid.tops) + grid.spread - 1, len(grid.lefts) + grid.spread - 1)
    if values.shape != expected:
        raise ValueError(f"expected a map of {expected} cells; got {values.shape}")
    down = _weights(grid.height, values.shape[0], grid, int(grid.tops[0]))
    across = _weights(grid.width, values.shape[1], grid, int(grid.lefts[0]))
    return np.asarray(down @ values @ across.T, np.float32)


def _weights(pixels: int, cells: int, grid: Grid, first: int) -> NDArray[np.float32]:
    """Along one side whose patches begin at `first`, the share of each cell in each pixel: (pixels, cells)."""
    # The cells of a patch lie in its middle where they do not fill it, or exceed it (patches far apart).
    margin = first + (grid.patch - grid.spread * grid.stride) / 2
    place = (np.arange(pixels) + 0.5 - margin) / grid.stride - 0.5
    distance = np.abs(np.clip(place, 0, cells - 1)[:, None] - np.arange(cells))
    return np.maximum(1 - distance, 0).astype(np.float32)
