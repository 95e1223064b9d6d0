"""Consistency map: how different every part of a photo is from every other part, from the embeddings of its patches.

Method of Zheng, Shrivastava and Owens, "EXIF as Language" (CVPR 2023), section 3.3. Maps have one value per cell, a
square of `stride` pixels. Patches start one stride apart and cover `patch_cells` × `patch_cells` cells each, so that
several patches cover a cell.

Deviations from the released code:

- Patches are aligned to the photo's 8×8 JPEG grid as in training (`augment.crops`), which moves each by up to 4 pixels.
  A network sees other traces in unaligned patches and reports authentic photos as inconsistent.
- The stride is one pixel larger, see `make_grid`.
- The map is computed in closed form, see `consistency_map`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from augment.crops import JPEG_BLOCK, phase_positions
from competition.utils.errors import InputError

# Cells along a patch. Patches that are closer see almost the same pixels, and memory grows with the 4th power.
MAX_PATCH_CELLS = 16
COUNT = 30  # patches along the longer side, by default; the threshold of a calibrated detector is that of this number
NORM_TOLERANCE = 1e-3  # of the norm of an embedding, which float16 rounds


@dataclass(frozen=True)
class Grid:
    """A grid of patches on a photo.

    Attributes:
        height, width: of the photo, pixels.
        patch: side of a patch, pixels.
        stride: side of a cell and approximate distance between patches, pixels.
    """

    height: int
    width: int
    patch: int
    stride: int

    @property
    def tops(self) -> NDArray[np.int64]:
        """First pixel row of each row of patches, int64 (rows,)."""
        return self._positions(self.height)

    @property
    def lefts(self) -> NDArray[np.int64]:
        """First pixel column of each column of patches, int64 (columns,)."""
        return self._positions(self.width)

    @property
    def patch_cells(self) -> int:
        """Number of cells along a patch; 1 if patches do not overlap."""
        return max(1, self.patch // self.stride)

    @property
    def cells(self) -> tuple[int, int]:
        """Shape (R, C) of a map: (rows + patch_cells − 1, columns + patch_cells − 1)."""
        return len(self.tops) + self.patch_cells - 1, len(self.lefts) + self.patch_cells - 1

    def _positions(self, side: int) -> NDArray[np.int64]:
        aligned = np.array(phase_positions(side, self.patch))
        steps = np.arange(0, aligned[-1] - aligned[0] + 1, self.stride)
        return aligned[np.rint(steps / JPEG_BLOCK).astype(np.int64)]


def make_grid(height: int, width: int, patch: int, count: int = COUNT) -> Grid:
    """Return a grid with at most, and usually about, `count` patches along the longer side of a photo.

    The stride is at least 8 pixels (a JPEG block) and 1/16 of a patch, so a photo of less than about three patches has
    fewer. A photo of the size of a patch has one. A side has at most `count + 15` cells. All sizes are in pixels.

    Raises:
        InputError: the photo is smaller than a patch, or `count` or `patch` is below 1.
    """
    if count < 1 or patch < 1:
        raise InputError(f"expected count ≥ 1 and patch ≥ 1, received count={count}, patch={patch}")
    if min(height, width) < patch:
        raise InputError(f"the photo has {width}x{height} pixels, less than a patch of {patch}; give a larger photo")
    # The smallest stride that leaves at most `count` patches. The released code divides by `count` and rounds down:
    # near one patch that is 0, and slightly above it gives up to twice as many patches.
    stride = (max(height, width) - patch) // count + 1
    return Grid(height, width, patch, max(stride, JPEG_BLOCK, -(-patch // MAX_PATCH_CELLS)))


def consistency_map(embeddings: ArrayLike, patch_cells: int, neighbors: int = 0) -> NDArray[np.float32]:
    """Return how different each cell is from each other cell.

    The value of cells a and b is the mean of 1 − cosine over all pairs of a patch that covers a and a patch that
    covers b. The released code loops over pairs of patches. Because the mean of products is the product of means, it
    equals 1 − F̄a·F̄b, where F̄ is the mean embedding of the patches that cover a cell.

    Args:
        embeddings: (rows, columns, width) of unit norm, one per patch.
        patch_cells: number of cells along a patch. Patch (r, c) covers the cells r … r + patch_cells − 1 times
            c … c + patch_cells − 1.
        neighbors: number of cells on each side over which the means are averaged; 0 is the published map.

    Returns:
        float32 (R, C, R, C) with R = rows + patch_cells − 1 and C = columns + patch_cells − 1, symmetric, from 0
        (equal) to 2 (opposite). It takes 4 (R·C)² bytes: 16 MiB for 45 × 45 cells, the maximum of `make_grid`'s
        default.

    Raises:
        ValueError: another shape, `patch_cells` below 1, or embeddings that are not finite and of unit norm.
    """
    means = cell_means(embeddings, patch_cells, neighbors)
    rows, columns, width = means.shape
    flat = means.reshape(-1, width)
    similarity = flat @ flat.T
    return np.subtract(1, similarity, out=similarity).reshape(rows, columns, rows, columns)


def detection_score(embeddings: ArrayLike, patch_cells: int = 1) -> float:
    """Return how inconsistent a photo is: 1 − ‖mean F̄‖², from 0 (all patches equal) to 1.

    The mean is over cells, so the score is the mean of `consistency_map(embeddings, patch_cells)` without computing
    that map. With the default, every pair of patches has the same weight; larger values give more weight to patches at
    the border, because fewer patches cover the cells there. Arguments and errors: see `consistency_map`.
    """
    mean = cell_means(embeddings, patch_cells).mean(axis=(0, 1), dtype=np.float64)
    return max(0.0, 1 - float(mean @ mean))


def cell_means(embeddings: ArrayLike, patch_cells: int, neighbors: int = 0) -> NDArray[np.float32]:
    """Return the mean embedding of the patches that cover each cell, float32 (R, C, width). See `consistency_map`.

    With `neighbors`, each cell then has the mean of the cells that are at most so far away in both directions.
    """
    patches = np.asarray(embeddings, np.float32)
    if patches.ndim != 3 or not patches.size or patch_cells < 1:
        raise ValueError(
            f"expected embeddings (rows, columns, width) and patch_cells ≥ 1; got {patches.shape} and {patch_cells}"
        )
    if not (np.abs(np.einsum("rcw,rcw->rc", patches, patches) - 1) <= 2 * NORM_TOLERANCE).all():
        raise ValueError("expected embeddings of unit norm")
    rows, columns, width = patches.shape
    down, across = (_averaged(_coverage(count, patch_cells), neighbors) for count in (rows, columns))
    return np.asarray(across @ (down @ patches.reshape(rows, -1)).reshape(-1, columns, width), np.float32)


def _coverage(count: int, patch_cells: int) -> NDArray[np.float32]:
    """Along one side, the weight of each of `count` patches in each cell: (count + patch_cells − 1, count)."""
    cell, patch = np.ogrid[: count + patch_cells - 1, :count]
    covers = ((patch <= cell) & (cell < patch + patch_cells)).astype(np.float32)
    return covers / covers.sum(axis=1, keepdims=True)


def _averaged(coverage: NDArray[np.float32], neighbors: int) -> NDArray[np.float32]:
    """Average the rows of a matrix (cells, count) over the cells at most `neighbors` away."""
    cells = np.arange(len(coverage))
    near = (np.abs(cells[:, None] - cells) <= neighbors).astype(np.float32)
    return np.asarray(near / near.sum(axis=1, keepdims=True) @ coverage, np.float32)


def upsample(cells: ArrayLike, grid: Grid) -> NDArray[np.float32]:
    """Resize a map of cells (R, C) to the photo: float32 (height, width), bilinear between the centers of cells.

    Pixels outside the outermost centers get the value of the nearest center. Takes 4 bytes per pixel.

    Raises:
        ValueError: the map does not have the shape `grid.cells`.
    """
    values = np.asarray(cells, np.float32)
    if values.shape != grid.cells:
        raise ValueError(f"expected a map of {grid.cells} cells; got {values.shape}")
    down = _interpolation(grid.height, values.shape[0], grid, int(grid.tops[0]))
    across = _interpolation(grid.width, values.shape[1], grid, int(grid.lefts[0]))
    return np.asarray(down @ values @ across.T, np.float32)


def _interpolation(pixels: int, cells: int, grid: Grid, first: int) -> NDArray[np.float32]:
    """Along one side whose first patch starts at `first`, the weight of each cell in each pixel: (pixels, cells)."""
    # The cells of a patch are centered in it if they are smaller than the patch, or larger (patches far apart).
    margin = first + (grid.patch - grid.patch_cells * grid.stride) / 2
    position = (np.arange(pixels) + 0.5 - margin) / grid.stride - 0.5
    distance = np.abs(np.clip(position, 0, cells - 1)[:, None] - np.arange(cells))
    return np.maximum(1 - distance, 0).astype(np.float32)
