"""Windows of a photo, and white noise that can be evaluated on any of them.

Every stage of the simulation computes a pixel from its place in the photo, so a window has the pixels of the whole
photo at the cost of the window.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.special import ndtri

_TILE = 256  # pixels; each tile of noise has its own random generator
_ORIGIN = 2**20 + _TILE // 2  # added to rows and columns, so that numbers of tiles are positive

# Normal quantiles of all 16-bit numbers: a table is several times as fast as NumPy's generator of normal numbers.
_NORMAL = ndtri((np.arange(65536) + 0.5) / 65536).astype(np.float32)


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels: its first row and column, and its sides."""

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
        """The window with `margin` more pixels at each side."""
        return Window(self.top - margin, self.left - margin, self.height + 2 * margin, self.width + 2 * margin)

    def clipped(self, frame: "Window") -> "Window":
        """The part of the window that lies in `frame`."""
        top, left = max(self.top, frame.top), max(self.left, frame.left)
        return Window(top, left, min(self.bottom, frame.bottom) - top, min(self.right, frame.right) - left)

    def coarse(self, step: int) -> "Window":
        """The smallest window of blocks of `step`×`step` pixels that covers this window, in blocks."""
        top, left = self.top // step, self.left // step
        return Window(top, left, -(-self.bottom // step) - top, -(-self.right // step) - left)

    def fine(self, step: int) -> "Window":
        """This window in pixels, if it is in blocks of `step`×`step` pixels."""
        return Window(self.top * step, self.left * step, self.height * step, self.width * step)

    def place_in(self, outer: "Window") -> tuple[slice, slice]:
        """Rows and columns of this window in an array that holds `outer`."""
        top, left = self.top - outer.top, self.left - outer.left
        return slice(top, top + self.height), slice(left, left + self.width)


def white_noise(seed: int, window: Window) -> np.ndarray:
    """Independent standard normal numbers, float32 (height, width), of 65,536 levels.

    The numbers of two windows agree where the windows overlap. Windows may begin at negative rows and columns.
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
