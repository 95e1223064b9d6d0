"""OpenCV's threads in worker processes. Tested by tests/competition/virtual/test_make_competition.py."""

import contextlib
from collections.abc import Iterator

import cv2


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let OpenCV use one thread within the block, because there is already one process for each core."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
