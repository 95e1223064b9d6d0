"""Politeness: how often a host is asked, and when it is left alone."""

import threading
import time
from collections import Counter

from competition.collect.faults import Failed, Stopped

LONGEST_HOLD = 900.0  # seconds; a host that wants more rest gets it until the next run
PATIENCE = 40  # failures in a row: the host is down, and every other address there would only cost more waiting


class Pace:
    """At most `rate` requests a second to each host, over all threads."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate
        self._next: dict[str, float] = {}
        self._resting: dict[str, str] = {}
        self._failures: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def wait(self, host: str) -> None:
        """Sleep until it is the caller's turn. Raises `Failed` for a host that wants to be left alone."""
        with self._lock:
            if host in self._resting:
                raise Failed(self._resting[host], again=False)
            now = time.monotonic()
            dihedral = max(now, self._next.get(host, now))
            self._next[host] = dihedral + self._gap
        self.sleep(dihedral - now)

    def hold(self, host: str, seconds: float) -> None:
        """Nobody asks `host` for so long; beyond `LONGEST_HOLD`, nobody asks it again."""
        with self._lock:
            if seconds > LONGEST_HOLD:
                self._resting[host] = f"the host asked to be left alone for {seconds:.0f} s"
            self._next[host] = max(self._next.get(host, 0.0), time.monotonic() + seconds)

    def report(self, host: str, failed: bool) -> None:
        """Count failures; after `PATIENCE` in a row nobody asks `host` again."""
        with self._lock:
            self._failures[host] = self._failures[host] + 1 if failed else 0
            if self._failures[host] >= PATIENCE:
                self._resting.setdefault(host, f"the host failed {PATIENCE} times in a row")

    def sleep(self, seconds: float) -> None:
        """Sleep, unless stopped meanwhile: then raise `Stopped`."""
        if self._stop.wait(max(seconds, 0.0)):
            raise Stopped

    def stop(self) -> None:
        """Wake every thread and make it give up."""
        self._stop.set()
