"""The rate limiter spaces requests to a host and skips hosts that fail; the client retries.

Redirects, retries and time-outs are tested with whole downloads in test_download.py.
"""

import threading

import pytest

from competition.collect.http import (
    MAX_FAILURES,
    MAX_RETRY_AFTER,
    DownloadFailed,
    DownloadRefused,
    DownloadStopped,
    RateLimiter,
)


@pytest.fixture
def waits(monkeypatch):
    """Replace the rate limiter's clock: a list of the waits, which take no time."""
    now, waits = [1000.0], list[float]()
    monkeypatch.setattr("competition.collect.http.time.monotonic", lambda: now[0])

    def sleep(self, seconds):
        waits.append(round(seconds, 6))
        now[0] += seconds

    monkeypatch.setattr(RateLimiter, "sleep", sleep)
    return waits


def test_requests_to_one_host_are_spaced_and_other_hosts_do_not_wait(waits):
    limiter = RateLimiter(rate=4)
    for host in ("a", "a", "b", "a"):
        limiter.wait(host)
    assert waits == [0, 0.25, 0, 0.25]


def test_the_longest_hold_of_a_host_counts(waits):
    limiter = RateLimiter(rate=4)
    limiter.hold("a", 10)
    limiter.hold("a", 3)
    limiter.wait("a")
    limiter.wait("b")
    assert waits == [10, 0]


def test_a_host_that_asks_for_a_long_pause_is_skipped(waits):
    limiter = RateLimiter(rate=4)
    limiter.hold("a", MAX_RETRY_AFTER + 1)
    with pytest.raises(DownloadFailed) as caught:
        limiter.wait("a")
    assert not caught.value.retryable
    limiter.wait("b")


def test_a_host_is_skipped_after_many_failures_in_a_row(waits):
    limiter = RateLimiter(rate=4)
    for failed in [True] * (MAX_FAILURES - 1) + [False] + [True] * (MAX_FAILURES - 1):
        limiter.report("a", failed)
    limiter.wait("a")
    limiter.report("a", failed=True)
    with pytest.raises(DownloadFailed, match=f"failed {MAX_FAILURES} times in a row"):
        limiter.wait("a")


def test_stop_wakes_a_sleeping_thread():
    limiter, stopped = RateLimiter(rate=1), threading.Event()

    def sleep():
        try:
            limiter.sleep(60)
        except DownloadStopped:
            stopped.set()

    thread = threading.Thread(target=sleep)
    thread.start()
    limiter.stop()
    thread.join(timeout=10)
    assert stopped.is_set()


@pytest.mark.parametrize(
    ("error", "calls"),
    [(DownloadFailed("x"), 3), (DownloadFailed("x", retryable=False), 1), (DownloadRefused("x"), 1)],
)
def test_only_retryable_failures_are_retried(error, calls, client_with):
    called = []

    def work():
        called.append(1)
        raise error

    with pytest.raises(type(error)):
        client_with(attempts=3).retry(work)
    assert len(called) == calls
