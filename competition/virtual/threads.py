"""OpenCV's threads, where processes share the work already."""

import contextlib
from collections.abc import Iterator

import cv2


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """OpenCV must not start a thread for each core in each of the processes."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
