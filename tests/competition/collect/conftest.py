"""A local HTTP server that misbehaves on request, so that no test uses the network."""

import io
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from PIL import Image

from competition.collect.http import Client, Limits

LIMITS = Limits(
    connections=2, rate=1e6, max_bytes=200_000, max_seconds=5.0, read_timeout=2.0, attempts=3, first_wait=0.001
)


def jpeg(seed: int = 0, **options: Any) -> bytes:
    """A photo of about 10 kB."""
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95, **options)
    return file.getvalue()


class Handler(BaseHTTPRequestHandler):
    """Calls `server.routes[path]`; `server.requests[path]` has the headers and form of every request."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.form = {name: values[0] for name, values in parse_qs(form).items()}
        self.server.requests[self.path].append((dict(self.headers), self.form))
        try:
            self.server.routes[self.path](self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client closed the connection, as it should

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass

    @property
    def count(self) -> int:
        """Number of requests for this path, with this one."""
        return len(self.server.requests[self.path])

    def respond(self, body: bytes = b"", status: int = 200, kind: str = "image/jpeg", **headers: str | None) -> None:
        """Send a response. A header that is None is left out; `Content_Length` may be wrong."""
        sent: dict[str, str | None] = {"Content-Type": kind, "Content-Length": str(len(body))}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        self.send_response(status)
        for name, value in sent.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = sent["Content-Length"] != str(len(body))

    def respond_with_range(self, body: bytes, etag: str, stop_after: int | None = None) -> None:
        """Respond as a server that supports ranges; `stop_after` ends the transfer after so many bytes."""
        requested = self.headers.get("Range")
        start = int(requested.removeprefix("bytes=").removesuffix("-")) if requested else 0
        if requested and self.headers.get("If-Range") != etag:
            start = 0
        extra = {"ETag": etag, "Content_Length": str(len(body) - start)}
        if start:
            extra["Content_Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        self.respond(body[start:stop_after], 206 if start else 200, **extra)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.routes: dict[str, Callable[[Handler], None]] = {}
        self.requests: dict[str, list] = defaultdict(list)

    def url(self, path: str, route: Callable[[Handler], None]) -> str:
        """Add a route and return its URL."""
        self.routes[path] = route
        return f"http://127.0.0.1:{self.server_port}{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client_with() -> Iterator[Callable[..., Client]]:
    """A function that makes a client with short limits, some of them changed."""
    clients = []

    def make(**changes: Any) -> Client:
        clients.append(Client(replace(LIMITS, **changes)))
        return clients[-1]

    yield make
    for client in clients:
        client.__exit__()


@pytest.fixture
def make_jpeg() -> Callable[..., bytes]:
    return jpeg


@pytest.fixture
def drip() -> Callable[[bytes], Callable[[Handler], None]]:
    """A function that makes a route that sends one byte every 20 ms."""

    def route_of(body: bytes) -> Callable[[Handler], None]:
        def route(handler: Handler) -> None:
            handler.respond(Content_Length=str(len(body)))
            for place in range(len(body)):
                handler.wfile.write(body[place : place + 1])
                time.sleep(0.02)

        return route

    return route_of
