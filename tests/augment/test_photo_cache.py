"""Each photo is decoded once while it is in memory, whatever the number of threads, and memory is bounded in bytes."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from augment.photo_cache import PhotoCache
from competition.utils.errors import InputError

KILOBYTE = 1000


class Decoder:
    """Decodes `<n>.png` to n kilobytes, and counts."""

    def __init__(self, seconds=0.0):
        self.seconds, self.lock = seconds, threading.Lock()
        self.counts: Counter[Path] = Counter()

    def __call__(self, path):
        with self.lock:
            self.counts[path] += 1
        time.sleep(self.seconds)
        if path.stem == "damaged":
            raise InputError(f"{path} is damaged")
        return np.full(KILOBYTE * int(path.stem), 7, np.uint8)


def test_threads_that_want_one_photo_decode_it_once():
    decoder = Decoder(seconds=0.05)
    cache = PhotoCache(10 * KILOBYTE, decoder)
    with ThreadPoolExecutor(16) as pool:
        photos = list(pool.map(cache.read, [Path("1.png")] * 16))
    assert decoder.counts.total() == cache.decodes == 1
    assert all(photo is photos[0] for photo in photos)


def test_photos_used_longest_ago_are_dropped_by_bytes():
    decoder = Decoder()
    cache = PhotoCache(6 * KILOBYTE, decoder)
    for name in ("1", "2", "3", "1", "4"):  # 4 needs the place of 2, and then that of 3
        cache.read(Path(f"{name}.png"))
    cache.read(Path("1.png"))
    assert decoder.counts.total() == 4
    cache.read(Path("2.png"))
    assert decoder.counts[Path("2.png")] == 2


def test_photo_larger_than_the_memory_is_returned_and_replaced_by_the_next():
    decoder = Decoder()
    cache = PhotoCache(KILOBYTE, decoder)
    assert len(cache.read(Path("5.png"))) == 5 * KILOBYTE
    cache.read(Path("5.png"))
    assert decoder.counts[Path("5.png")] == 1
    cache.read(Path("1.png"))
    cache.read(Path("5.png"))
    assert decoder.counts[Path("5.png")] == 2


def test_errors_reach_every_thread_and_are_not_kept():
    decoder = Decoder(seconds=0.05)
    cache = PhotoCache(KILOBYTE, decoder)

    def read(_):
        with pytest.raises(InputError, match="is damaged"):
            cache.read(Path("damaged.png"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, range(4)))
    before = decoder.counts.total()
    read(0)
    assert decoder.counts.total() == before + 1


def test_memory_stays_bounded_under_many_threads():
    decoder = Decoder()
    cache = PhotoCache(20 * KILOBYTE, decoder)
    rng = np.random.default_rng(0)
    with ThreadPoolExecutor(8) as pool:
        for photo in pool.map(cache.read, [Path(f"{n}.png") for n in rng.integers(1, 10, 2000)]):
            assert len(photo) % KILOBYTE == 0
    kept = sum(photo.result().nbytes for photo in cache._photos.values())
    assert kept == cache._bytes <= 20 * KILOBYTE
