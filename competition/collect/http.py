"""Requests over HTTP: paced for each host, redirects followed one by one, failures tried again."""

import random
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

from competition.collect.faults import Failed, Refused
from competition.collect.pace import Pace

Result = TypeVar("Result")

AGENT = "camera-competition/0.1 (collects photographs for camera identification)"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses that may be better in a moment


@dataclass(frozen=True)
class Limits:
    """What one photograph may cost. Times are in seconds.

    connections: at once, over all hosts. rate: requests a second to one host. most_bytes: of one file.
    most_seconds: of one transfer. silence: between two bytes. attempts: of one file in one run. first_wait:
    before the second attempt; it doubles with each.
    """

    connections: int = 4
    rate: float = 2.0
    most_bytes: int = 64 << 20
    most_seconds: float = 300.0
    silence: float = 30.0
    attempts: int = 5
    first_wait: float = 1.0


class Client:
    """One per run; safe to share among threads."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.pace = Pace(limits.rate)
        self._pool = urllib3.PoolManager(
            num_pools=64, maxsize=limits.connections, timeout=urllib3.Timeout(connect=10.0, read=limits.silence)
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.clear()

    @contextmanager
    def get(self, url: str, headers: Mapping[str, str]) -> Iterator[urllib3.BaseHTTPResponse]:
        """The answer to a GET, its body not yet read, after at most `MOST_REDIRECTS` redirects.

        Statuses: 200, 206 and 416; every other raises `Refused` or `Failed`, as does what goes wrong while the
        body is read inside the block.
        """
        for _ in range(MOST_REDIRECTS + 1):
            with self._ask("GET", url, headers) as answer:
                if answer.status not in REDIRECTS:
                    if answer.status not in (200, 206, 416):
                        raise Refused(f"HTTP {answer.status}")
                    yield answer
                    return
                url = _target(url, answer)
        raise Refused(f"more than {MOST_REDIRECTS} redirects")

    def post(self, url: str, fields: Mapping[str, str], most_bytes: int) -> bytes:
        """The body of the answer to a form. Redirects are refused, as they would carry the form's secrets away."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        with self._ask("POST", url, form, urlencode(fields)) as answer:
            if answer.status != 200:
                raise Refused(f"HTTP {answer.status}")
            body = answer.read(most_bytes + 1)
            if len(body) > most_bytes:
                raise Refused(f"an answer of more than {most_bytes} bytes")
            return body

    def persist(self, work: Callable[[], Result]) -> Result:
        """`work()`, tried again after a `Failed`, with growing waits that are spread so that threads part."""
        for attempt in range(self.limits.attempts - 1):
            try:
                return work()
            except Failed as failure:
                if not failure.again:
                    raise
            self.pace.sleep(self.limits.first_wait * 2**attempt * random.uniform(0.5, 1.0))
        return work()

    @contextmanager
    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None = None
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """One request. Reasons are in our own words: the library's name the address, which may hold a secret."""
        host = _host(url)
        self.pace.wait(host)
        try:
            # Compressed bodies would have another length than the file, and ranges of another file.
            headers = {"User-Agent": AGENT, "Accept-Encoding": "identity", **headers}
            answer = self._pool.request(
                method, url, body=body, headers=headers, preload_content=False, redirect=False, retries=False
            )
            try:
                passing = answer.status in PASSING
                self.pace.report(host, failed=passing)
                if passing:
                    self.pace.hold(host, max(_retry_after(answer), self.limits.first_wait))
                    raise Failed(f"HTTP {answer.status}")
                yield answer
            finally:
                answer.close()  # where the body was read to its end, the connection is already back in the pool
        except LocationParseError:  # a name that no host can have
            raise Refused("not an address of the web") from None
        except HTTPError as error:
            self.pace.report(host, failed=True)
            raise Failed(_reason(error)) from None


def _host(url: str) -> str:
    try:
        parsed = urllib3.util.parse_url(url)
    except LocationParseError:
        raise Refused("not an address of the web") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Refused(f"not an address of the web (http or https): {parsed.scheme or 'no scheme'}")
    return parsed.host


def _target(url: str, answer: urllib3.BaseHTTPResponse) -> str:
    """Where a redirect leads."""
    try:
        return urljoin(url, answer.headers.get("Location", ""))
    except ValueError:
        raise Refused("redirected to what is not an address of the web") from None


def _retry_after(answer: urllib3.BaseHTTPResponse) -> float:
    """Seconds that the host asks for, 0 where it does not say."""
    try:
        return urllib3.Retry(retry_after_max=86400).get_retry_after(answer) or 0.0
    except InvalidHeader:
        return 0.0


def _reason(error: HTTPError) -> str:
    if isinstance(error, NameResolutionError):
        return "the host's name is not known"
    if isinstance(error, NewConnectionError):
        return "no connection to the host"
    if isinstance(error, TimeoutError):
        return "the host fell silent"
    if isinstance(error, SSLError):
        return "no trustworthy connection (TLS)"
    return "the connection broke off"
