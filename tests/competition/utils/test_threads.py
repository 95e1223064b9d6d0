import cv2
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from competition.utils.threads import one_thread


def threads():
    blas = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
    return [cv2.getNumThreads(), *blas]


def test_opencv_and_blas_use_one_thread_within_the_block_only():
    np.ones((2, 2)) @ np.ones((2, 2))
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        outside = threads()
        assert outside[0] == 2
        with pytest.raises(KeyError), one_thread():
            assert len(threads()) > 1
            assert set(threads()) == {1}
            raise KeyError
        assert threads() == outside
    finally:
        cv2.setNumThreads(before)
