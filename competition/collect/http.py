"""HTTP client: rate limit per host, redirects followed one by one, retries with backoff."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode, urljoin

import urllib3
from urllib3.exceptions import (
    HTTPError,
    InvalidHeader,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
    TimeoutError,
)

Result = TypeVar("Result")

USER_AGENT = "camera-competition/0.1 (collects photos for camera identification)"
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 5
RETRY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})  # temporary by definition
MAX_RETRY_AFTER = 900.0  # seconds; a host that asks for a longer pause is skipped until the next run
MAX_FAILURES = 40  # in a row; the host is down, and every further URL there would only cost more waiting


class DownloadRefused(Exception):
    """The file is not available and a retry would not change that. The message is the reason for the record."""


class DownloadFailed(Exception):
    """The file did not arrive this time; the next run tries again.

    retryable: whether another attempt in this run makes sense.
    """

    def __init__(self, reason: str, retryable: bool = True) -> None:
        super().__init__(reason)
        self.retryable = retryable


class DownloadStopped(Exception):
    """The user stopped the run."""


@dataclass(frozen=True)
class Limits:
    """Limits of one run. Times are in seconds.

    connections: concurrent connections, over all hosts. rate: requests per second to one host. max_bytes: size of
    one file. max_seconds: duration of one transfer. read_timeout: pause between two bytes. attempts: per file and
    run. first_wait: pause before the second attempt; it doubles with each further one.
    """

    connections: int = 4
    rate: float = 2.0
    max_bytes: int = 64 << 20
    max_seconds: float = 300.0
    read_timeout: float = 30.0
    attempts: int = 5
    first_wait: float = 1.0


class RateLimiter:
    """Send at most `rate` requests per second to each host, over all threads; skip hosts that fail."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate
        self._next: dict[str, float] = {}
        self._skipped: dict[str, str] = {}
        self._failures: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def wait(self, host: str) -> None:
        """Sleep until the caller may send a request to `host`.

        Raises:
            DownloadFailed: The host is skipped for the rest of this run.
        """
        with self._lock:
            if host in self._skipped:
                raise DownloadFailed(self._skipped[host], retryable=False)
            now = time.monotonic()
            start = max(now, self._next.get(host, now))
            self._next[host] = start + self._gap
        self.sleep(start - now)

    def hold(self, host: str, seconds: float) -> None:
        """Send nothing to `host` for so many seconds; skip it where they exceed `MAX_RETRY_AFTER`."""
        with self._lock:
            if seconds > MAX_RETRY_AFTER:
                self._skipped[host] = f"the host asked for a pause of {seconds:.0f} s"
            self._next[host] = max(self._next.get(host, 0.0), time.monotonic() + seconds)

    def report(self, host: str, failed: bool) -> None:
        """Count failures of a host; skip it after `MAX_FAILURES` in a row."""
        with self._lock:
            self._failures[host] = self._failures[host] + 1 if failed else 0
            if self._failures[host] >= MAX_FAILURES:
                self._skipped.setdefault(host, f"the host failed {MAX_FAILURES} times in a row")

    def sleep(self, seconds: float) -> None:
        """Sleep, or raise `DownloadStopped` if the run is stopped meanwhile."""
        if self._stop.wait(max(seconds, 0.0)):
            raise DownloadStopped

    def stop(self) -> None:
        """Wake every sleeping thread with `DownloadStopped`."""
        self._stop.set()


class Client:
    """HTTP client of one run; threads may share it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rate_limiter = RateLimiter(limits.rate)
        self._pool = urllib3.PoolManager(
            num_pools=64, maxsize=limits.connections, timeout=urllib3.Timeout(connect=10.0, read=limits.read_timeout)
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.clear()

    @contextmanager
    def get(self, url: str, headers: Mapping[str, str]) -> Iterator[urllib3.BaseHTTPResponse]:
        """Send a GET request, follow at most `MAX_REDIRECTS` redirects, yield the response with its body unread.

        The status is 200, 206 or 416. Every other status, and every error while the block reads the body, raises
        `DownloadRefused` or `DownloadFailed`.
        """
        for _ in range(MAX_REDIRECTS + 1):
            with self._request("GET", url, headers) as response:
                if response.status not in REDIRECT_STATUSES:
                    if response.status not in (200, 206, 416):
                        raise DownloadRefused(f"HTTP {response.status}")
                    yield response
                    return
                url = _redirect_url(url, response)
        raise DownloadRefused(f"more than {MAX_REDIRECTS} redirects")

    def post(self, url: str, fields: Mapping[str, str], max_bytes: int) -> bytes:
        """Post a form and return the body. Redirects are refused because the form may hold a secret."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        with self._request("POST", url, headers, urlencode(fields)) as response:
            if response.status != 200:
                raise DownloadRefused(f"HTTP {response.status}")
            body = response.read(max_bytes + 1)
            if len(body) > max_bytes:
                raise DownloadRefused(f"a response of more than {max_bytes} bytes")
            return body

    def retry(self, work: Callable[[], Result]) -> Result:
        """Call `work`, again after a retryable `DownloadFailed`, with exponential backoff and jitter."""
        for attempt in range(self.limits.attempts - 1):
            try:
                return work()
            except DownloadFailed as failure:
                if not failure.retryable:
                    raise
            self.rate_limiter.sleep(self.limits.first_wait * 2**attempt * random.uniform(0.5, 1.0))
        return work()

    @contextmanager
    def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None = None
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """Send one request. Messages of urllib3 are not passed on: they contain the URL, which may hold a secret."""
        host = _host(url)
        self.rate_limiter.wait(host)
        try:
            # A compressed body has another length than the file, and its ranges are not those of the file.
            headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
            response = self._pool.request(
                method, url, body=body, headers=headers, preload_content=False, redirect=False, retries=False
            )
            try:
                temporary = response.status in RETRY_STATUSES
                self.rate_limiter.report(host, failed=temporary)
                if temporary:
                    self.rate_limiter.hold(host, max(_retry_after(response), self.limits.first_wait))
                    raise DownloadFailed(f"HTTP {response.status}")
                yield response
            finally:
                response.close()  # a connection whose body was read to its end is already back in the pool
        except LocationParseError:  # an invalid host name
            raise DownloadRefused("not a valid URL") from None
        except HTTPError as error:
            self.rate_limiter.report(host, failed=True)
            raise DownloadFailed(_reason(error)) from None


def _host(url: str) -> str:
    try:
        parsed = urllib3.util.parse_url(url)
    except LocationParseError:
        raise DownloadRefused("not a valid URL") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise DownloadRefused(
            f"not a valid URL: expected http or https with a host, received {parsed.scheme or 'no scheme'}"
        )
    return parsed.host


def _redirect_url(url: str, response: urllib3.BaseHTTPResponse) -> str:
    try:
        return urljoin(url, response.headers.get("Location", ""))
    except ValueError:
        raise DownloadRefused("redirected to what is not a valid URL") from None


def _retry_after(response: urllib3.BaseHTTPResponse) -> float:
    """Seconds of the `Retry-After` header, 0 without one."""
    try:
        return urllib3.Retry(retry_after_max=86400).get_retry_after(response) or 0.0
    except InvalidHeader:
        return 0.0


def _reason(error: HTTPError) -> str:
    if isinstance(error, NameResolutionError):
        return "unknown host name"
    if isinstance(error, NewConnectionError):
        return "no connection to the host"
    if isinstance(error, TimeoutError):
        return "time-out while waiting for the host"
    if isinstance(error, SSLError):
        return "TLS verification failed"
    return "connection lost"
