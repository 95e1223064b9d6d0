"""Windows of a photo, and white noise that can be evaluated on any of them.

Every stage of the simulation computes a pixel from its position in the photo. A window therefore has the pixels of the
whole photo, and costs only its own area.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.special import ndtri

_TILE = 256  # pixels; each tile of noise has its own random generator
_ORIGIN = 2**20 + _TILE // 2  # added to rows and columns, so that indices of tiles are positive

# Normal quantiles of all 16-bit numbers: a table is several times as fast as NumPy's generator of normal numbers.
_NORMAL = ndtri((np.arange(65536) + 0.5) / 65536).astype(np.float32)


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels: first row, first column, and sides."""

    top: int
    left: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        """The row after the last one."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """The column after the last one."""
        return self.left + self.width

    def grown(self, margin: int) -> "Window":
        """Return the window with `margin` more pixels on each side."""
        return Window(self.top - margin, self.left - margin, self.height + 2 * margin, self.width + 2 * margin)

    def clipped(self, frame: "Window") -> "Window":
        """Return the part of the window inside `frame`. Its sides are not positive if there is none."""
        top, left = max(self.top, frame.top), max(self.left, frame.left)
        return Window(top, left, min(self.bottom, frame.bottom) - top, min(self.right, frame.right) - left)

    def coarse(self, step: int) -> "Window":
        """Return the smallest window in blocks of `step`×`step` pixels that covers this window."""
        top, left = self.top // step, self.left // step
        return Window(top, left, -(-self.bottom // step) - top, -(-self.right // step) - left)

    def fine(self, step: int) -> "Window":
        """Return a window in blocks of `step`×`step` pixels as one in pixels."""
        return Window(self.top * step, self.left * step, self.height * step, self.width * step)

    def place_in(self, outer: "Window") -> tuple[slice, slice]:
        """Return the rows and columns of this window in an array of the pixels of `outer`."""
        top, left = self.top - outer.top, self.left - outer.left
        return slice(top, top + self.height), slice(left, left + self.width)


def white_noise(seed: int, window: Window) -> np.ndarray:
    """Return independent standard normal numbers with 65,536 levels, float32 (height, width).

    Overlapping windows have the same numbers where they overlap. Rows and columns may be negative.
    """
    out = np.empty((window.height, window.width), np.float32)
    for tile_row, top, rows, to_rows in _pieces(window.top, window.height):
        for tile_column, left, columns, to_columns in _pieces(window.left, window.width):
            bits = np.random.PCG64([seed, tile_row, tile_column]).random_raw((top + rows) * _TILE // 4)
            tile = bits.view(np.uint16).reshape(-1, _TILE)[top:, left : left + columns]
            out[to_rows : to_rows + rows, to_columns : to_columns + columns] = cv2.LUT(
                np.ascontiguousarray(tile), _NORMAL
            )
    return out


def _pieces(first: int, length: int) -> Iterator[tuple[int, int, int, int]]:
    """Cut a span of pixels at the borders of tiles: (tile, first pixel in it, pixels, first pixel in the span)."""
    place = first + _ORIGIN
    while place < first + _ORIGIN + length:
        tile, start = divmod(place, _TILE)
        count = min(_TILE - start, first + _ORIGIN + length - place)
        yield tile, start, count, place - _ORIGIN - first
        place += count
