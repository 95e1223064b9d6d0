"""Decoded photos in memory, shared by the threads that make patches."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import numpy as np

from augment.decode import read_pixels


class PhotoCache:
    """The photos that were used last, at most `max_bytes` of them.

    A photo that several threads want at the same time is decoded once: the others wait for it.

    Args:
        max_bytes: memory for decoded photos. The last one is kept whatever its size.
        decode: maps a path to the pixels, uint8 (height, width, 3).

    Attributes:
        decodes: number of photos that were decoded so far.
    """

    def __init__(self, max_bytes: int, decode: Callable[[Path], np.ndarray] = read_pixels) -> None:
        self.max_bytes, self.decode, self.decodes = max_bytes, decode, 0
        self._photos: OrderedDict[Path, Future[np.ndarray]] = OrderedDict()  # the last used one is the last
        self._bytes = 0
        self._lock = threading.Lock()

    def read(self, path: Path) -> np.ndarray:
        """Return the pixels of a photo. Raises what `decode` raises; the photo is not kept then."""
        with self._lock:
            photo = self._photos.get(path)
            is_new = photo is None
            if photo is None:
                photo = self._photos[path] = Future()
                self.decodes += 1
            self._photos.move_to_end(path)
        if is_new:
            self._fill(path, photo)
        return photo.result()

    def _fill(self, path: Path, photo: "Future[np.ndarray]") -> None:
        try:
            pixels = self.decode(path)
        except BaseException as error:
            with self._lock:
                del self._photos[path]
            photo.set_exception(error)
            return
        photo.set_result(pixels)
        with self._lock:
            self._bytes += pixels.nbytes
            for old in [old for old, other in self._photos.items() if other.done() and old != path]:
                if self._bytes <= self.max_bytes:
                    break
                self._bytes -= self._photos.pop(old).result().nbytes
