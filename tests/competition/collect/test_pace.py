"""Hosts are asked one after another, and left alone when they say so."""

import threading

import pytest

from competition.collect.faults import Failed, Stopped
from competition.collect.pace import LONGEST_HOLD, Pace


@pytest.fixture
def slept(monkeypatch):
    """A pace on a clock of its own: `slept` lists the waits, which take no time."""
    now, waits = [1000.0], []
    monkeypatch.setattr("competition.collect.pace.time.monotonic", lambda: now[0])

    def sleep(self, seconds):
        waits.append(round(seconds, 6))
        now[0] += seconds

    monkeypatch.setattr(Pace, "sleep", sleep)
    return waits


def test_a_host_is_asked_at_the_rate_and_others_do_not_wait(slept):
    pace = Pace(rate=4)
    for host in ("a", "a", "b", "a"):
        pace.wait(host)
    assert slept == [0, 0.25, 0, 0.25]


def test_a_held_host_is_left_alone(slept):
    pace = Pace(rate=4)
    pace.hold("a", 10)
    pace.hold("a", 3)  # the longer wish counts
    pace.wait("a")
    pace.wait("b")
    assert slept == [10, 0]


def test_a_very_long_hold_ends_the_hosts_part(slept):
    pace = Pace(rate=4)
    pace.hold("a", LONGEST_HOLD + 1)
    with pytest.raises(Failed) as caught:
        pace.wait("a")
    assert not caught.value.again
    pace.wait("b")


def test_stopping_wakes_a_sleeper():
    pace, stopped = Pace(rate=1), threading.Event()

    def sleeper():
        try:
            pace.sleep(60)
        except Stopped:
            stopped.set()

    thread = threading.Thread(target=sleeper)
    thread.start()
    pace.stop()
    thread.join(timeout=10)
    assert stopped.is_set()
